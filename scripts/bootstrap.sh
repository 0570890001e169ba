#!/bin/sh
# Prepare an environment of this checkout and print its path on standard output:
#
#     environment=$(scripts/bootstrap.sh run)     what `vizier` needs to run
#     environment=$(scripts/bootstrap.sh dev)     that and the tools of the gate
#
# or run the installer: scripts/bootstrap.sh install ARGUMENT...
#
# This file only finds a Python; environment.py and install.py beside it do the work. Progress and errors go to standard
# error.
set -eu

program=environment.py
if [ "${1-}" = install ]; then
    program=install.py
    shift
fi

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)

# Prints what is wrong with the Python that runs it, nothing when it will do. The modules are those that distributions
# split off or that a home-made build lacks. Understood by every Python 3, so that an old one can be named as such.
probe='
import sys
if sys.version_info < (3, 11):
    print("version %d.%d is too old" % sys.version_info[:2])
else:
    try:
        import ctypes, fcntl, ssl, venv, zlib
    except ImportError as error:
        print("its standard library is incomplete: %s" % error)
'

rejected=
for name in python3.14 python3.13 python3.12 python3.11 python3; do
    python=$(command -v "$name") || continue
    # A version manager may leave a command that only says that this version is not selected.
    flaw=$("$python" -I -c "$probe" 2>/dev/null) || flaw='does not start'
    if [ -z "$flaw" ]; then
        exec "$python" -I -B "$here/$program" "$@"
    fi
    rejected="$rejected    $python: $flaw
"
done

{
    echo 'vizier needs Python 3.11, 3.12, 3.13 or 3.14 on the PATH, and found none that will do.'
    if [ -n "$rejected" ]; then
        printf 'Looked at:\n%s' "$rejected"
    fi
    cat <<'HOW'
To get one:
    Debian 12+, Ubuntu 24.04+    apt-get install python3
    Fedora, RHEL 9+              dnf install python3.12
    Alpine                       apk add python3
    macOS                        brew install python@3.13
    anything else                uv python install --default 3.13
HOW
} >&2
exit 1

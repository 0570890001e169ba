#!/bin/sh
# Starts the progress filter of a vendor: start.sh LABEL
#
# A shim gets no hint where vizier's Python is, and `python3` on PATH may be missing, or a version manager's stub that
# depends on the working directory. So the candidates are, in this order: the interpreter that is the parent process,
# where the system tells; that of the environment this file is installed in; the installer's; the one on PATH.
# Any Python 3.9 or newer will do, the filters need nothing but its standard library.
here=${0%/*}
parent=$(readlink "/proc/$PPID/exe" 2>/dev/null)
case $parent in */python3*) ;; *) parent= ;; esac
for python in \
    "$parent" \
    "$here/../../../../../../../bin/python3" \
    "$here/../../lib/bin/python3" \
    "$(command -v python3)"
do
    [ -x "$python" ] && exec "$python" -I -S -B -c \
        'import sys; sys.path.insert(0, sys.argv[1]); from filters import main; main(sys.argv[2])' "$here/.." "$1"
done
echo "[$1-filter] python3 is required on PATH to render progress" >&2
exit 127

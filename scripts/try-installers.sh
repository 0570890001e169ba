#!/bin/sh
# Run by hand: proves that what a release consists of can be installed by pip, pipx and uv, by every Python there is.
# Tests may not use the network; this may, and needs a package index.
#
#     scripts/try-installers.sh [PYTHON...]
#
# PYTHON are the interpreters to try, by default python3.11 to python3.14 as far as they start. Nothing is changed
# outside of a temporary directory.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/vizier-installers.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
export HOME="$scratch/home" PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
mkdir "$HOME"
cd "$scratch"

if [ $# -eq 0 ]; then
    for version in 11 12 13 14; do
        "python3.$version" -c '' 2>/dev/null && set -- "$@" "python3.$version"
    done
fi

# tried TITLE BIN: the program in BIN starts, shows its scripts and pages, and runs a flow.
tried() {
    git init --quiet project
    (
        cd project
        echo '{"id": "t", "version": "v1", "nodes": [{"id": "a", "kind": "shell",
            "uses": "cap.env.shell.command.run", "args": {"script": "echo hello"}}]}' >flow.json
        "$2/vizier" run flow.json --follow >follow.txt
        grep -qx hello .vizier/jobs/wf-*/stdout.log
        "$2/vizier" completions bash | grep -q complete
        "$2/vizier" init >/dev/null
        "$2/vizier" run develop --check --set spec_text=x --set slug=y >/dev/null
    )
    rm -rf project
    echo "ok: $1: $("$2/vizier" --version)"
}

first=$1
"$first" -m venv tools
tools/bin/pip --quiet install build pipx uv
tools/bin/python -m build --outdir dist "$root" >/dev/null
wheel=$(echo dist/*.whl) sdist=$(echo dist/*.tar.gz)

for python; do
    version=$("$python" -c 'import platform; print(platform.python_version())')
    "$python" -m venv "pip-$version"
    "pip-$version/bin/pip" --quiet install "$wheel"
    tried "pip install, Python $version" "$scratch/pip-$version/bin"
    "pip-$version/bin/python" -m vizier_cli --version >/dev/null
done

"$first" -m venv from-source
from-source/bin/pip --quiet install "$sdist"
tried 'pip install of the source distribution' "$scratch/from-source/bin"

"$first" -m venv from-checkout
from-checkout/bin/pip --quiet install "$root"
tried 'pip install of the checkout' "$scratch/from-checkout/bin"

PIPX_HOME="$scratch/pipx" PIPX_BIN_DIR="$scratch/pipx-bin" PIPX_MAN_DIR="$scratch/pipx-man" \
    tools/bin/pipx install --python "$first" "$wheel" >pipx.log 2>&1
test -e pipx-man/man1/vizier.1
tried 'pipx install, with manual pages' "$scratch/pipx-bin"

UV_TOOL_DIR="$scratch/uv" UV_TOOL_BIN_DIR="$scratch/uv-bin" tools/bin/uv --quiet tool install --python "$first" "$wheel"
tried 'uv tool install' "$scratch/uv-bin"

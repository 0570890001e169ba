#!/bin/sh
# The validation gate: the same here and in CI. See usage below, and docs/dev/testing.md.
set -eu

usage() {
    cat <<'USAGE'
usage: ./cicd.sh [--quick] [-- PYTEST-ARGUMENT...]

Checks format, style, types and package boundaries, then runs the tests, in an environment of its own that is built from
requirements/. Stops at the first step that fails.

    --quick    leave out the tests marked slow, crash, bench and bootstrap
    --help     show this text

Everything after `--` goes to pytest, for example `./cicd.sh --quick -- tests/unit -k lock`.
USAGE
}

quick=
while [ $# -gt 0 ]; do
    case $1 in
        --quick) quick=yes ;;
        -h | --help) usage; exit 0 ;;
        --) shift; break ;;
        *) echo "cicd: unknown argument '$1'" >&2; usage >&2; exit 2 ;;
    esac
    shift
done

root=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
cd "$root"
. scripts/isolated.sh
began=$(date +%s)
number=0

# step TITLE COMMAND...: runs the command, says how long it took, ends the gate when it fails.
step() {
    title=$1
    shift
    number=$((number + 1))
    step_began=$(date +%s)
    echo "== $number. $title"
    code=0
    "$@" || code=$?
    seconds=$(($(date +%s) - step_began))
    if [ "$code" -ne 0 ]; then
        echo "== FAILED at step $number, $title: exit $code after $seconds s" >&2
        exit 1
    fi
    echo "== $number. $title: $seconds s"
}

prepare_environment() {
    environment=$(scripts/bootstrap.sh dev)
}

# mypy takes either the packages that pyproject.toml names or files, not both.
check_types() {
    mypy && mypy scripts/*.py demo/*.py
}

run_tests() {
    if [ -n "$quick" ]; then
        set -- -m 'not (slow or crash or bench or bootstrap)' "$@"
    fi
    pytest --numprocesses auto --dist worksteal -o cache_dir="$caches/pytest" "$@"
}

step 'environment' prepare_environment
PATH="$environment/bin:$PATH"
# The tools keep their caches beside the environment: the checkout may be read-only.
caches="$environment/caches"
export PATH RUFF_CACHE_DIR="$caches/ruff" MYPY_CACHE_DIR="$caches/mypy" HYPOTHESIS_STORAGE_DIRECTORY="$caches/hypothesis"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
isolate "$scratch"
export VIZIER_BIN="$environment/bin/vizier"

step 'format' ruff format --check --quiet src tests scripts demo
step 'style' ruff check --quiet src tests scripts demo
step 'types' check_types
step 'boundaries' lint-imports --no-logo --cache-dir "$caches/import-linter"
step 'manual pages' python scripts/man_pages.py --check
step 'tests' run_tests "$@"
echo "== all $number steps passed in $(($(date +%s) - began)) s"

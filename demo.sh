#!/bin/sh
# Shows vizier at work: runs demo/report.hcl in a scratch repository. See usage below.
set -eu

usage() {
    cat <<'USAGE'
usage: ./demo.sh [REPOSITORY]

Runs a real flow of eight nodes in a scratch git repository: it lists the files, writes a report, checks it, edits the
README and commits. With REPOSITORY, does so in a clone of that repository; the original is only read.
Nothing outside the temporary directory is touched, apart from the environment that vizier runs in.
USAGE
}

case ${1-} in
    -h | --help) usage; exit 0 ;;
    -*) usage >&2; exit 2 ;;
esac
if [ $# -gt 1 ]; then
    usage >&2
    exit 2
fi
if ! command -v git >/dev/null; then
    echo 'demo: needs git 2.38 or newer; install the package git' >&2
    exit 1
fi

root=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
environment=$("$root/scripts/bootstrap.sh" run)
vizier="$environment/bin/vizier"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/vizier-demo.XXXXXX")
repository="$scratch/repository"

title() {
    printf '\n== %s\n' "$1"
}

title "A scratch repository in $repository"
if [ $# -eq 1 ]; then
    # Before the isolation: the caller's git configuration may be what lets the caller read it.
    git clone --quiet --template= -- "$1" "$repository" || {
        rmdir "$scratch"
        exit 1
    }
fi
mkdir "$scratch/home"
# shellcheck source=scripts/isolated.sh
. "$root/scripts/isolated.sh"
isolate "$scratch/home"
if [ $# -eq 0 ]; then
    git init --quiet --template= --initial-branch=main "$repository"
    printf '# Scratch\n\nA repository to try vizier in.\n' >"$repository/README.md"
fi
cd "$repository"
git config user.name 'Vizier Demo'
git config user.email 'demo@example.invalid'
mkdir -p .git/info .vizier/workflows
echo '.vizier/jobs/' >>.git/info/exclude
cp "$root/demo/report.hcl" .vizier/workflows/report.hcl
git add --force .vizier/workflows/report.hcl
git add .
git commit --quiet --message 'chore: add the demo flow'
git log --oneline -n 3

title 'vizier run .vizier/workflows/report.hcl --follow'
code=0
"$vizier" run .vizier/workflows/report.hcl --follow || code=$?

title 'vizier jobs list --all --format table   (the first columns)'
jobs=$("$vizier" jobs list --all --format table) || code=$?
printf '%s\n' "$jobs" | cut -c 1-93

title 'git log --stat'
git log --stat --format='%h %an: %s' -n 1
if [ "$code" -eq 0 ] && ! git cat-file -e HEAD:demo-report/REPORT.md; then
    echo 'demo: the run succeeded, but the report was not committed' >&2
    code=1
fi

title 'Where to look'
cat <<LOOK
cd $repository
git show                    # what the flow committed
ls .vizier/jobs             # everything that vizier remembers
vizier=$vizier
LOOK
set -- .vizier/jobs/*-assemble
if [ -d "$1" ]; then
    cat <<JOB
\$vizier jobs show ${1##*/}
\$vizier jobs tail ${1##*/}
JOB
fi
echo "rm -r $scratch    # when you have seen enough"
if [ "$code" -ne 0 ]; then
    printf '\ndemo: FAILED (exit %s)\n' "$code" >&2
fi
exit "$code"

#!/bin/sh
# Shows vizier at work: from a written request to a merged change, and a merge conflict on the way. See usage below.
set -eu

usage() {
    cat <<'USAGE'
usage: ./demo.sh [REPOSITORY]

In a scratch git repository, or in a clone of REPOSITORY, which is only read:

  1. vizier init         starter flows and prompts
  2. vizier run develop  an agent plans a request, carries the plan out, and the result is merged
  3. a merge conflict    the agent of the conflict gate resolves it
  4. another one         vizier stops, you resolve it by hand, and the run goes on

The agent is demo/agent.py, a small program without a model behind it that really edits files. Nothing needs the network,
apart from the first start, which may have to fetch what vizier depends on. Nothing outside the temporary directory is
touched, apart from the environment that vizier runs in.
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
scratch=$(mktemp -d "${TMPDIR:-/tmp}/vizier-demo.XXXXXX")
repository="$scratch/repository"

title() {
    printf '\n== %s\n\n' "$1"
}

note() {
    printf '%s\n' "$@" ''
}

fail() {
    printf '\ndemo: FAILED: %s\nEverything is left in %s\n' "$1" "$scratch" >&2
    exit 1
}

# prompt WORD...: prints a command as one would type it.
prompt() {
    printf '$'
    for word; do
        case $word in
            *[!A-Za-z0-9_./=:,@%+-]*) printf " '%s'" "$word" ;;
            *) printf ' %s' "$word" ;;
        esac
    done
    echo
}

# show COMMAND...: prints a command and runs it.
show() {
    prompt "$@"
    "$@"
}

# run FLOW...: runs a flow and follows it; shows how which node ends, and the result. Sets $code and $run.
run() {
    prompt vizier run "$@" --follow
    {
        code=0
        vizier run "$@" --follow 2>&1 || code=$?
        echo "$code" >"$scratch/code"
    } | tee "$scratch/log" | sed -n \
        -e 's/wf-run_[0-9a-f]*-//g' \
        -e 's/^\[run:[^]]*\] \(.*\) => \(succeeded\|failed\|blocked.*\|cancelled\)$/  \2  \1/p' \
        -e '/^\(Outcome\|Exit\|Blocked\|Failed\|Agent tokens\) *:/p'
    code=$(cat "$scratch/code")
    run=$(sed -n 's/^Run *: *//p' "$scratch/log")
    echo
}

# stage FLOW...: the same without the nodes, for what was shown before.
stage() {
    run "$@" | sed '/^  /d'
    code=$(cat "$scratch/code")
    [ "$code" -eq 0 ] || fail "vizier run $1 ended with exit $code"
}

# words NODE: what the agent of a node has said, of the newest run.
words() {
    prompt vizier jobs tail "wf-$run-$1"
    vizier jobs tail "wf-$run-$1" | grep -v '\[workflow-node\]'
    echo
}

# holds ENTRY...: ends the demo unless the list of changes has all of these.
holds() {
    for entry; do
        git show HEAD:demo-shop/CHANGES.md | grep -q "^- $entry" || fail "the change '$entry' is lost"
    done
}

# request NAME TITLE INSTRUCTION...: writes a request.
request() {
    file="$scratch/$1.md"
    printf '# %s\n\n' "$2" >"$file"
    shift 2
    printf -- '- %s\n' "$@" >>"$file"
    note "The request is $file:"
    sed 's/^/   | /' "$file"
    echo
}

# change NAME THING OTHER: lets the agent make a change on a branch of its own, then commits another one.
change() {
    request "$1" "Get $2" "Append to \`demo-shop/CHANGES.md\`: \`- $2\`"
    stage draft "$scratch/$1.md" "$1" "draft/$1"
    stage approve "$1" "draft/$1"
    note "Meanwhile you commit to the same place of the same file:"
    printf '$ echo "- %s" >>demo-shop/CHANGES.md\n' "$3"
    echo "- $3" >>demo-shop/CHANGES.md
    show git commit --quiet --all --message "feat: $3"
    echo
}

title "1. A repository in $repository"
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
PATH="$environment/bin:$PATH"
if [ $# -eq 0 ]; then
    git init --quiet --template= --initial-branch=main "$repository"
    printf '# Scratch\n\nA repository to try vizier in.\n' >"$repository/README.md"
fi
cd "$repository"
git config user.name 'Vizier Demo'
git config user.email 'demo@example.invalid'
mkdir -p demo-shop
printf '# Changes\n\n- the shop opens\n' >demo-shop/CHANGES.md
git add --all .
git commit --quiet --message 'chore: open the shop'
main=$(git branch --show-current)

mkdir -p "$HOME/.config/vizier"
cat >"$HOME/.config/vizier/config.toml" <<CONFIG
[agents.default.agent]
label = "demo"
command = ["$environment/bin/python", "$root/demo/agent.py"]
progress_filter = false
CONFIG
show vizier init
show git add --all .
git diff --cached --quiet || show git commit --quiet --message 'chore: init vizier'
echo
note "The agent is configured in $HOME/.config/vizier/config.toml:"
sed 's/^/   | /' "$HOME/.config/vizier/config.toml"

title '2. From a request to a merged change'
# shellcheck disable=SC2016 # the backticks are Markdown
request bell 'Put a bell on the door' \
    'Append to `demo-shop/door.txt`: `a bell that rings`' \
    'Append to `demo-shop/CHANGES.md`: `- a bell on the door`'
note 'Three stages: draft asks the agent for a plan, approve lets it carry the plan out and checks the result,' \
    'both in worktrees of the branch draft/bell; merge brings it to the main branch.'
run develop "$scratch/bell.md" bell draft/bell "$main" --set stop_condition_script='test -s demo-shop/door.txt'
[ "$code" -eq 0 ] || fail "the run ended with exit $code"
words develop_approve__invoke_agent
asked="wf-$run-develop_approve__invoke_agent"
show git log --stat --format='%h %an: %s' -n 1
git cat-file -e HEAD:demo-shop/door.txt || fail 'the change was not merged'

title '3. A merge conflict, resolved by the agent'
change window 'a window' 'a sign above the door'
note 'The merge meets the conflict and goes back to the gate, where the agent is asked:'
run merge window draft/window "$main"
[ "$code" -eq 0 ] || fail "the run ended with exit $code"
words merge_conflict_resolution
show git log --format='%h %an: %s' -n 2
echo
show cat demo-shop/CHANGES.md
holds 'a window' 'a sign above the door'

title '4. A merge conflict, resolved by you'
change carpet 'a carpet' 'a new lock'
note 'This time vizier is told to leave conflicts to you, so it stops at the gate:'
run merge carpet draft/carpet "$main" --set conflict_auto_resolve=false
[ "$code" -eq 10 ] || fail "the run ended with exit $code instead of stopping at the conflict"
show git status --short
show cat demo-shop/CHANGES.md
echo
note 'You edit the file, stage it, and let the run go on from there:'
sed '/^[<=>]\{7\}/d' demo-shop/CHANGES.md >"$scratch/resolved"
cp "$scratch/resolved" demo-shop/CHANGES.md
show git add demo-shop/CHANGES.md
show vizier jobs retry "wf-$run-merge_conflict_resolution" | sed '/^[RLU]/d'
vizier jobs attach "wf-$run-terminal" >/dev/null 2>&1 || fail 'the run did not go on'
echo
show git log --format='%h %an: %s' -n 2
echo
show cat demo-shop/CHANGES.md
holds 'a carpet' 'a new lock'
[ -z "$(git status --porcelain)" ] || fail 'the checkout is not clean'

title 'Where to look'
cat <<LOOK
cd '$repository' && export HOME='$HOME' PATH='$environment/bin':"\$PATH"
vizier jobs list --all                  # everything that ran
vizier jobs show $asked
vizier jobs tail wf-$run-merge_integrate
less .vizier/develop.hcl                # the flow of part 2; its stages are in .vizier/workflows
less '$root/demo/agent.py'
rm -r '$scratch'    # when you have seen enough
LOOK

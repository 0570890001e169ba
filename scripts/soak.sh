#!/bin/sh
# Run by hand: the crash tests for hours. Every call of every scenario is hit, and each round draws random cases of its own
# (the gate takes a part of the calls and a few fixed random cases). See docs/dev/testing.md.
#
#     scripts/soak.sh [--hours HOURS] [--round FIRST] [-- PYTEST-ARGUMENT...]
#
# Starts new rounds until HOURS (default 1) have passed; a round takes a quarter of an hour or more. FIRST (default 1) is
# the number of the first round: the same number repeats the same random cases, though never the same timing. What a
# failed round has printed is kept in the directory that is named at the end; the exit code is 1 then.
set -eu

hours=1 round=1
while [ $# -gt 0 ]; do
    case $1 in
        --hours) hours=$2; shift 2 ;;
        --round) round=$2; shift 2 ;;
        --) shift; break ;;
        *) sed -n '2,/^set -eu/{ s/^# \{0,1\}//p; }' "$0" >&2; exit 2 ;;
    esac
done

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
cd "$root"
. scripts/isolated.sh
environment=$(scripts/bootstrap.sh dev)
results=$(mktemp -d "${TMPDIR:-/tmp}/vizier-soak.XXXXXX")
isolate "$results"
export PATH="$environment/bin:$PATH" VIZIER_BIN="$environment/bin/vizier"

deadline=$(($(date +%s) + hours * 3600))
failed=
while [ "$(date +%s)" -lt "$deadline" ]; do
    log="$results/round-$round.txt"
    echo "== round $round, $(date -u +%H:%M:%S)"
    if VIZIER_SOAK=$round pytest --numprocesses auto --dist worksteal -p no:cacheprovider -m crash "$@" tests >"$log" 2>&1; then
        tail -n 1 "$log"
        rm "$log"
    else
        tail -n 1 "$log"
        failed="$failed $round"
    fi
    round=$((round + 1))
done
if [ -n "$failed" ]; then
    echo "== FAILED in round$failed; see $results" >&2
    exit 1
fi
rm -r "$results"
echo '== every round passed'

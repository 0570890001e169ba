#!/bin/sh
# Plays a recorded agent: replay.sh PROGRAM ARGUMENT... (see README.md).
set -eu
recording=${0%/*}/streams/$1/${RECORDED_SCENARIO:-success}
shift
if [ -n "${RECORDED_INTO-}" ]; then
    for argument; do printf '%s\n' "$argument"; done > "$RECORDED_INTO/arguments"
    cat > "$RECORDED_INTO/prompt"
else
    cat > /dev/null
fi
if [ -e "$recording.stderr" ]; then cat "$recording.stderr" >&2; fi
if [ -n "${RECORDED_PIECES-}" ]; then
    dd if="$recording.stdout" bs="$RECORDED_PIECES" 2> /dev/null
else
    cat "$recording.stdout"
fi
if [ -e "$recording.exit" ]; then exit "$(cat "$recording.exit")"; fi

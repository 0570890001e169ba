#!/bin/sh
# Asks claude (spec 07 §7.1): prompt on stdin, claude's events on stdout, its exit status.
#
# VIZIER_CLAUDE_ARGS    further arguments for claude, separated by blanks, for example `-p --verbose`
set -fu
# Were it exported, the prompt would end up in the environment of claude.
unset prompt

prompt=$(cat)
if ! command -v claude >/dev/null; then
    echo 'claude is not on PATH: install it, or set agent.command in the configuration' >&2
    exit 127
fi
# shellcheck disable=SC2086 # the arguments are to be split
printf '%s' "$prompt" | claude --output-format stream-json ${VIZIER_CLAUDE_ARGS-}

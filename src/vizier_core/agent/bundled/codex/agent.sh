#!/bin/sh
# Asks codex (spec 07 §7.1): prompt on stdin, codex's events on stdout, its exit status.
#
# VIZIER_CODEX_ARGS     further arguments for codex, separated by blanks
# VIZIER_SHIM_PREVIEW   0, false or no: do not show the prompt's first line on stderr
set -fu
# Were they exported, the prompt would end up in the environment of codex.
unset prompt first

prompt=$(cat)
case ${VIZIER_SHIM_PREVIEW-} in
    0 | false | no) ;;
    *)
        IFS= read -r first <<PROMPT
$prompt
PROMPT
        if [ -n "$prompt" ]; then
            printf '[codex shim] prompt (first line preview): %s\n' "$first" >&2
        else
            echo '[codex shim] prompt: <empty>' >&2
        fi
        ;;
esac
if ! command -v codex >/dev/null; then
    echo 'codex is not on PATH: install it, or set agent.command in the configuration' >&2
    exit 127
fi
# shellcheck disable=SC2086 # the arguments are to be split
printf '%s' "$prompt" | codex exec --json ${VIZIER_CODEX_ARGS-} -

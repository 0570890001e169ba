#!/bin/sh
# Asks gemini (spec 07 §7.1): prompt on stdin, gemini's events on stdout, its exit status.
#
# VIZIER_GEMINI_ARGS    further arguments for gemini, separated by blanks
# VIZIER_SHIM_PREVIEW   0, false or no: do not show the prompt's first line on stderr
set -fu
# Were they exported, the prompt would end up in the environment of gemini.
unset prompt first

prompt=$(cat)
case ${VIZIER_SHIM_PREVIEW-} in
    0 | false | no) ;;
    *)
        IFS= read -r first <<PROMPT
$prompt
PROMPT
        if [ -n "$prompt" ]; then
            printf '[gemini shim] prompt (first line preview): %s\n' "$first" >&2
        else
            echo '[gemini shim] prompt: <empty>' >&2
        fi
        ;;
esac
if ! command -v gemini >/dev/null; then
    echo 'gemini is not on PATH: install it, or set agent.command in the configuration' >&2
    exit 127
fi
# shellcheck disable=SC2086 # the arguments are to be split
printf '%s' "$prompt" | gemini --output-format stream-json ${VIZIER_GEMINI_ARGS-}

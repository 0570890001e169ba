#!/bin/sh
# Turns the events of gemini into progress on stderr and the reply on stdout (spec 07 §7.2); see ../filters.
self=$(readlink -f -- "$0" 2>/dev/null) || self=$0
exec "${self%/*}/../filters/start.sh" gemini

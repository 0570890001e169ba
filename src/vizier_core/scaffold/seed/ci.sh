#!/bin/sh
# The checks that a change has to pass. Workflows run this file when it is given to them, for example
# `vizier run merge my-change --set cicd_script=./ci.sh`.
set -eu

echo "vizier ci stub: nothing is checked yet; put the project's real checks into ./ci.sh"

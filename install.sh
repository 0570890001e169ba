#!/bin/sh
# Installs vizier from this checkout, or removes it again: ./install.sh --help tells more.
#
# Never calls sudo. What it does is in scripts/install.py; this file only starts it with a Python that will do.
set -eu

cd "$(dirname -- "$0")"
exec scripts/bootstrap.sh install "$@"

# shellcheck shell=sh
# Sourced by the entry scripts.

# isolate HOME: lets later commands see neither the caller's home and git configuration nor variables that steer git,
# Python or vizier.
isolate() {
    for name in $(env | sed 's/=.*//' | grep -E '^(GIT|VIZIER|XDG)_[A-Z_]+$|^PYTHON(PATH|HOME)$'); do
        unset "$name"
    done
    export HOME="$1" GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
}

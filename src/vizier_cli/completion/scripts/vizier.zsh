#compdef vizier
# Completes command lines of vizier in zsh. In ~/.zshrc, behind compinit:
#
#     eval "$(vizier completions zsh)"
_vizier() {
    local -a found open closed
    found=("${(@f)$(COMPLETE=zsh @VIZIER@ -- "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
    found=("${(@)found:#}")
    if (( ! $#found )); then
        _files
        return
    fi
    # No blank behind `key=`: the value follows.
    open=("${(@M)found:#*=(|:*)}")
    closed=("${(@)found:#*=(|:*)}")
    (( $#closed )) && _describe -V vizier closed
    (( $#open )) && _describe -V parameter open -S ''
}

if [[ $funcstack[1] == _vizier ]]; then
    _vizier "$@"
else
    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
    compdef _vizier vizier
fi

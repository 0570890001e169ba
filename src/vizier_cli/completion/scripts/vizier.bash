# Completes command lines of vizier in bash. In ~/.bashrc:
#
#     eval "$(vizier completions bash)"
_vizier() {
    local current head='' breaks rest piece stripped candidate
    local -a words=()
    # bash cuts words at `=` and `:`; the program wants them as they were typed, up to the cursor.
    rest=${COMP_LINE:0:COMP_POINT}
    for piece in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
        stripped=${rest#"${rest%%[![:space:]]*}"}
        if [[ ${#words[@]} -eq 0 || $stripped != "$rest" ]]; then
            words+=('')
        fi
        rest=$stripped
        piece=${rest:0:${#piece}}
        words[${#words[@]}-1]+=$piece
        rest=${rest:${#piece}}
    done
    current=${words[${#words[@]}-1]}
    # Only what follows the last cut is replaced.
    breaks=${COMP_WORDBREAKS//[!=:]/}
    if [[ -n $breaks && $current == *["$breaks"]* ]]; then
        head=${current%"${current##*["$breaks"]}"}
    fi
    COMPREPLY=()
    while IFS= read -r candidate; do
        printf -v candidate '%q' "${candidate#"$head"}"
        COMPREPLY+=("$candidate")
    done < <(COMPLETE=bash @VIZIER@ -- "${words[@]}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then
        compopt -o nospace 2>/dev/null
    fi
    return 0
}

# The order means something; older versions of bash can only sort.
complete -o nosort -o bashdefault -o default -F _vizier vizier 2>/dev/null ||
    complete -o bashdefault -o default -F _vizier vizier

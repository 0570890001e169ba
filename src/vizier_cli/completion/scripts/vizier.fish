# Completes command lines of vizier in fish. In ~/.config/fish/config.fish:
#
#     vizier completions fish | source
function __vizier_complete
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    set -l current (commandline --current-token --cut-at-cursor)
    set -l found (COMPLETE=fish @VIZIER@ -- $words "$current" 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path "$current"
    end
end

complete --command vizier --no-files --keep-order --arguments '(__vizier_complete)'

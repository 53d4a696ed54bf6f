"""The completion scripts of shells. They call bulkrm for the completions, so none of them contains an option."""

from bulkrm.cli.commands.completion import SHELLS
from bulkrm.model.errors import InputError, Problem

_BASH = """\
# bash completion of bulkrm
_bulkrm_completion() {
    local IFS=$'\\n' kind current word
    local -a answer
    COMPREPLY=()
    answer=($(_BULKRM_COMPLETE=bash "$1" "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
    kind=${answer[0]}
    current=${COMP_WORDS[COMP_CWORD]}
    [[ $current == '=' ]] && current=
    case $kind in
        files) compopt -o filenames; COMPREPLY=($(compgen -f -- "$current")) ;;
        folders) compopt -o filenames; COMPREPLY=($(compgen -d -- "$current")) ;;
        *)
            for word in "${answer[@]:1}"; do COMPREPLY+=("${word%%$'\\t'*}"); done
            [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
            ;;
    esac
    return 0
}
complete -F _bulkrm_completion bulkrm"""

_ZSH = """\
#compdef bulkrm
_bulkrm() {
    local kind line
    local -a answer items
    answer=("${(@f)$(_BULKRM_COMPLETE=zsh "${words[1]}" "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
    kind=$answer[1]
    for line in "${(@)answer[2,-1]}"; do
        [[ -n $line ]] && items+=("${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}")
    done
    case $kind in
        files) compset -P '*='; _files ;;
        folders) compset -P '*='; _files -/ ;;
        *) (( $#items )) && _describe bulkrm items ;;
    esac
}
if [[ $funcstack[1] == _bulkrm ]]; then
    _bulkrm "$@"
else
    compdef _bulkrm bulkrm
fi"""

_FISH = """\
# fish completion of bulkrm
function __bulkrm_complete
    set -l typed (commandline -opc) (commandline -ct)
    set -l answer (env _BULKRM_COMPLETE=fish $typed[1] $typed[2..-1] 2>/dev/null)
    switch "$answer[1]"
        case files folders
            set -l before (string match -r -- '^[^=]*=' (commandline -ct))
            set -l path (string replace -r -- '^[^=]*=' '' (commandline -ct))
            set -l finder __fish_complete_path
            test $answer[1] = folders; and set finder __fish_complete_directories
            for found in ($finder $path)
                printf '%s%s\\n' "$before" $found
            end
        case '*'
            printf '%s\\n' $answer[2..-1]
    end
end
complete -c bulkrm -f -a '(__bulkrm_complete)'"""

_SCRIPTS = dict(zip(SHELLS, (_BASH, _ZSH, _FISH), strict=True))


def script_of(shell: str) -> str:
    """Return the script for a shell. Raises InputError where there is none."""
    if shell not in _SCRIPTS:
        raise InputError(Problem("SHELL", f"there is no completion for {shell[:40]!r}", f"write {', '.join(SHELLS)}"))
    return _SCRIPTS[shell]

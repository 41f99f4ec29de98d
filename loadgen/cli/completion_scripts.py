"""How shells are told what completes a word with a colon or a comma, as `gap:1ms,close`. Offers nothing itself.

Click's own scripts add a blank behind a colon, where more has to follow. In bash, which breaks words at colons and
equals signs, they complete nothing behind one; in fish they cut a word, and what explains it, at its first comma.
"""

from __future__ import annotations

import os

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    split_arg_string,
)

_BASH = """\
%(complete_func)s() {
    local IFS=$'\\n' line="${COMP_LINE:0:COMP_POINT}" completion type value
    local word="${line##*[[:space:]]}"
    [[ $word == --*=* ]] && word="${word#*=}"
    # What stands before the last colon stays as it is: bash replaces the rest.
    local kept=""
    [[ $COMP_WORDBREAKS == *:* ]] && kept="${word%%"${word##*:}"}"
    for completion in $(env COMP_LINE="$line" %(complete_var)s=bash_complete $1 2> /dev/null); do
        type="${completion%%%%,*}" value="${completion#*,}"
        case $type in
            dir) COMPREPLY=(); compopt -o dirnames ;;
            file) COMPREPLY=(); compopt -o default ;;
            plain)
                COMPREPLY+=("${value#"$kept"}")
                [[ $value == *: ]] && compopt -o nospace 2> /dev/null ;;
        esac
    done
    return 0
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""
_FINISHED = """            else
                completions_with_descriptions+="""
_UNFINISHED = """            elif [[ "$key" == *: ]]; then
                unfinished+=("$key":"$descr")
"""
_SHOWN = """    if [ -n "$completions_with_descriptions" ]; then
"""
_SHOWN_UNFINISHED = """    if (( $#unfinished )); then
        _describe -V unfinished unfinished -U -S ''
    fi

"""


class BashScript(BashComplete):
    """Bash, which gives the whole line as it was typed."""

    source_template = _BASH

    def get_completion_args(self) -> tuple[list[str], str]:
        line = os.environ["COMP_LINE"]
        words = split_arg_string(line)
        begun = "" if line[-1:].isspace() or not words else words.pop()
        return words[1:], begun


class _WholeWords(ShellComplete):
    """A shell that keeps such words whole."""

    _flag = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        arguments, begun = super().get_completion_args()
        self._flag = _flag_of(begun)
        return arguments, begun

    def format_completion(self, item: CompletionItem) -> str:
        """As the whole word that takes the place of what was typed: of `--policies=clo` too."""
        return super().format_completion(CompletionItem(f"{self._flag}{item.value}", item.type, item.help))


class ZshScript(_WholeWords, ZshComplete):
    source_template = (
        ZshComplete.source_template.replace("    local -a response\n", "    local -a response unfinished\n")
        .replace(_FINISHED, _UNFINISHED + _FINISHED)
        .replace(_SHOWN, _SHOWN_UNFINISHED + _SHOWN)
    )


class FishScript(_WholeWords, FishComplete):
    source_template = FishComplete.source_template.replace('string split ","', 'string split -m 1 ","')


def _flag_of(begun: str) -> str:
    """`--policies=` of `--policies=clo`; empty where no flag and its value are one word."""
    return begun[: begun.index("=") + 1] if begun.startswith("--") and "=" in begun else ""


def use() -> None:
    """Let click complete with these."""
    add_completion_class(BashScript)
    add_completion_class(ZshScript)
    add_completion_class(FishScript)

"""What a shell that completes a command line is answered: by click, with the values that the program knows.

The shell calls the program with `_QWENTUI_COMPLETE` set, at every Tab: only what is asked for is imported,
nothing is ever said on the standard error, and what cannot be had at once is left out.
"""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    get_completion_class,
    split_arg_string,
)

from qwentui.chat.errors import QwentuiError
from qwentui.cli import completed_values as values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

VARIABLE = "_QWENTUI_COMPLETE"

_PROGRAM = "qwentui"

_VALUES: dict[tuple[str, str], Callable[[values.Asked], Iterable[CompletionItem]]] = {
    ("", "persona"): values.personas,
    ("", "session"): values.sessions,
    ("", "profile"): values.profiles,
    ("", "model"): values.models,
    ("model", "name"): values.models,
    ("model", "names"): values.models,
    ("model", "source"): values.models,
    ("persona", "name"): values.personas,
    ("export", "ids"): values.sessions,
    ("config", "key"): values.settings,
    ("config", "value"): values.setting_values,
}
"""Who knows the values of a parameter, by the command it belongs to ("" for any) and its name."""

_NEW = (("persona", "new"), ("model", "create"), ("model", "pull"))
"""Commands whose NAME is not one that there is."""


class _Bash(BashComplete):
    """Completes words with colons, such as `qwen3:8b`, too, which bash itself takes for several."""

    source_template = """\
%(complete_func)s() {
    local IFS=$'\\n' response completion type value
    response=$(COMP_WORDS="${COMP_LINE:0:COMP_POINT}" %(complete_var)s=bash_complete "$1" 2>/dev/null)
    for completion in $response; do
        IFS=',' read -r type value <<< "$completion"
        case $type in
            dir) COMPREPLY=(); compopt -o dirnames;;
            file) COMPREPLY=(); compopt -o default;;
            plain) COMPREPLY+=("$value");;
        esac
    done
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one to complete, and that one."""
        line = os.environ.get("COMP_WORDS", "")
        words = split_arg_string(line)[1:]
        incomplete = words.pop() if words and not line[-1:].isspace() else ""
        self._colon = incomplete.rfind(":") + 1
        return words, incomplete

    def format_completion(self, item: CompletionItem) -> str:
        """One line: the part behind the last colon, quoted for the shell."""
        quoted = re.sub(r"([^\w@%+=:,./-])", r"\\\1", item.value[self._colon :])
        return f"{item.type},{quoted}"


class _Value(click.types.StringParamType):
    """A text whose completions are known to `find`."""

    def __init__(self, find: Callable[[values.Asked], Iterable[CompletionItem]]) -> None:
        self._find = find

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002 - click's signature
        incomplete: str,
    ) -> list[CompletionItem]:
        """Those that begin with what is typed."""
        try:
            found = list(self._find(values.Asked.of(ctx, incomplete)))
        except (QwentuiError, OSError):
            return []
        return [item for item in found if item.value.startswith(incomplete)]


def script(shell: str) -> str:
    """The script for bash, zsh or fish."""
    kind = _classes()[shell]
    # What bash's own class would add is a call of bash for its version.
    return ShellComplete.source(kind(click.Command(_PROGRAM), {}, _PROGRAM, VARIABLE))


def _classes() -> dict[str, type[ShellComplete]]:
    return {"bash": _Bash, "zsh": ZshComplete, "fish": FishComplete}


def answer(cli: click.Group) -> None:
    """Let click answer the shell, and end the program."""
    add_completion_class(_Bash, "bash")
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123 - no path of a file
        sys.stderr = nowhere
        kind = get_completion_class(os.environ[VARIABLE].partition("_")[0])
        if kind is not None:
            words, _ = kind(cli, {}, _PROGRAM, VARIABLE).get_completion_args()
            _prepare(cli, words)
        cli(prog_name=_PROGRAM)


def _prepare(command: click.Command, words: list[str]) -> None:
    """Give the parameters of the commands in `words` their values."""
    context = click.Context(command, info_name=_PROGRAM)
    path: tuple[str, ...] = ()
    _give(command, path)
    for word in words:
        found = command.get_command(context, word) if isinstance(command, click.Group) else None
        if found is not None:
            command, path = found, (*path, word)
            _give(command, path)


def _give(command: click.Command, path: tuple[str, ...]) -> None:
    for parameter in command.params if path[:2] not in _NEW else ():
        name = str(parameter.name)
        find = _VALUES.get((path[0] if path else "", name)) or _VALUES.get(("", name))
        if find is not None:
            parameter.type = _Value(find)

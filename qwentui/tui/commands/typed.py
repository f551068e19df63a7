"""What a text means that begins with a slash: a command, a mistake in one, or a text like any other."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwentui.chat.errors import CommandRefused
from qwentui.language import _
from qwentui.tui.commands.table import BY_NAME

if TYPE_CHECKING:
    from qwentui.tui.commands.table import Command

_SHAPE = re.compile(r"/([a-z]+|\?)(?:\s+(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Typed:
    """A text in the shape of a command.

    Attributes:
        name: What stands behind the slash.
        argument: What stands behind that, "" for nothing.
        command: The command of that name, None where there is none.
    """

    name: str
    argument: str
    command: Command | None


def read(text: str) -> Typed | None:
    """`text` as a command; None where it is a text like any other, such as a path or several lines."""
    text = text.strip()
    match = _SHAPE.fullmatch(text)
    if match is None:
        return None
    command = BY_NAME.get(match[1])
    if "\n" in text and not (command is not None and command.has_lines):
        return None
    return Typed(match[1], match[2] or "", command)


def action(typed: Typed) -> str | tuple[str, str, tuple[str, ...]]:
    """The action that obeys a command, as Textual takes it: a string, or namespace, name and parameters.

    Raises:
        CommandRefused: There is no such command, it needs an argument, or it takes none.
    """
    command = typed.command
    if command is None:
        raise unknown(typed.name)
    if typed.argument:
        if not command.given:
            raise CommandRefused(_("/{name} takes nothing behind it.").format(name=command.name))
        namespace, _dot, name = command.given.rpartition(".")
        return namespace, name, (typed.argument,)
    if not command.action:
        raise CommandRefused(
            _("/{name} needs something behind it.").format(name=command.name),
            _("Type: /{name} {usage}").format(name=command.name, usage=command.usage),
        )
    return command.action


def unknown(name: str) -> CommandRefused:
    """What to say about a name that no command has."""
    near = _nearest(name)
    if near:
        said = _("/{name} is no command; did you mean /{near}?").format(name=name, near=near)
    else:
        said = _("/{name} is no command; /help lists them.").format(name=name)
    return CommandRefused(said, _("Enter sends it as it is."))


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    beginning = [known for known in BY_NAME if known.startswith(name)]
    return next(iter(beginning or get_close_matches(name, BY_NAME, 1)), "")

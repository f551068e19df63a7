"""How a command that is being typed may go on: its name, then what stands behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwentui.language import _
from qwentui.tui.commands.options import OPTIONS
from qwentui.tui.commands.table import BY_NAME, COMMANDS
from qwentui.tui.widgets.completion import Candidate, Offer, best

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from qwentui.tui.commands.table import Kind

    Names = Callable[[], Sequence[Candidate]]


class CommandCompletion:
    """Completes a text of one line that begins with a slash.

    Args:
        names: Gives the candidates for arguments of a kind that the table does not know itself.
        is_wanted: Whether such a text would be a command now.
    """

    def __init__(self, names: Mapping[Kind, Names], is_wanted: Callable[[], bool]) -> None:
        self._names = names
        self._is_wanted = is_wanted

    def candidates(self, lines: Sequence[str], cursor: tuple[int, int]) -> Offer | None:
        """The commands, or what may stand behind the one that is typed."""
        line, column = lines[0], cursor[1]
        if not line.startswith("/") or len(lines) > 1 or not column or not self._is_wanted():
            return None
        name = line.partition(" ")[0]
        if column <= len(name):
            return _offer(line, 0, len(name), _commands())
        command = BY_NAME.get(name[1:])
        return self._argument(command.kind, line, _behind(line, len(name)), column) if command else None

    def _argument(self, kind: Kind, line: str, start: int, column: int) -> Offer | None:
        """What may stand behind a command, from `start` on."""
        if column < start:
            return None
        if kind not in {"option", "set_option"}:
            return _offer(line, start, len(line), self._known(kind))
        key = line[start:].partition(" ")[0]
        end = start + len(key)
        if column <= end:
            return _offer(line, start, end, _options(behind=kind == "set_option"))
        at = _behind(line, end)
        # A number that is typed is not to be taken for the beginning of another one.
        return _offer(line, at, at, _values(key)) if kind == "set_option" and at == len(line) else None

    def _known(self, kind: Kind) -> Sequence[Candidate]:
        match kind:
            case "think":
                return tuple(Candidate(word) for word in ("default", "on", "off"))
            case "budget":
                return (Candidate("default", _("as the settings have it")),)
            case _:
                return self._names[kind]() if kind in self._names else ()


def _behind(line: str, end: int) -> int:
    """Where the next word begins, or would begin, behind the one that ends at `end`."""
    return end + len(line[end:]) - len(line[end:].lstrip())


def _offer(line: str, start: int, end: int, candidates: Sequence[Candidate]) -> Offer | None:
    found = best(line[start:end], candidates)
    return Offer(start, end, found) if found else None


def _commands() -> tuple[Candidate, ...]:
    return tuple(
        Candidate(
            f"/{command.name} " if command.usage else f"/{command.name}",
            _(command.help),
            f"/{command.name} {command.usage}".rstrip(),
        )
        for command in COMMANDS
    )


def _options(*, behind: bool) -> tuple[Candidate, ...]:
    return tuple(Candidate(f"{known.key} " if behind else known.key, _(known.about)) for known in OPTIONS)


def _values(key: str) -> tuple[Candidate, ...]:
    known = next((known for known in OPTIONS if known.key == key), None)
    return () if known is None else tuple(map(Candidate, known.examples))

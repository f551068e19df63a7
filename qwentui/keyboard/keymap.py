"""The keys in effect: the table with what the user bound otherwise, and what is to be said about that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from qwentui.chat.sanitize import sanitize_line
from qwentui.keyboard.names import NoSuchKey, is_certain, is_typed, parsed, sent_as, spoken
from qwentui.keyboard.places import FOCUSED, reaching
from qwentui.keyboard.table import KEYS, Key
from qwentui.language import _

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from qwentui.keyboard.table import Where

_QUIT = "quit"
_WRITTEN_IN = ("composer", "completion", "filter")
"""The places where a key that stands for a character writes it."""


@dataclass(frozen=True, slots=True)
class Keymap:
    """Which keys do what.

    Attributes:
        keys: The table's rows by their ids, with the keys that work; a key that another action won is gone.
        rebound: The ids that the user bound otherwise.
        troubles: One sentence for each thing that the user may not have meant.
    """

    keys: Mapping[str, Key]
    rebound: frozenset[str] = frozenset()
    troubles: tuple[str, ...] = ()

    @classmethod
    def of(cls, wanted: Mapping[str, str]) -> Keymap:
        """The table with other keys for some ids; never fails, for the program has to start.

        Args:
            wanted: What the settings say: the names of keys by id, "" for none. Ids that the table does not
                have are passed over, and a text that names no key leaves the default.
        """
        if not wanted:
            return DEFAULT
        making = _Making()
        for key in KEYS:
            if key.id in wanted:
                making.rebind(key.id, wanted[key.id])
        making.keep_a_way_out()
        making.settle()
        return cls(making.keys, frozenset(making.rebound), tuple(dict.fromkeys(making.troubles)))

    def __getitem__(self, name: str) -> Key:
        """The row of an id."""
        return self.keys[name]

    def first(self, name: str) -> str:
        """The first key of an id as people write it; "" where it has none."""
        return next(iter(self.spoken(name)), "")

    def named(self, name: str) -> str:
        """The first key of an id, or how to do without one, as the subject of a sentence."""
        return self.first(name) or _("The list of actions ({key})").format(key=self.first("actions") or name)

    def spoken(self, name: str) -> tuple[str, ...]:
        """The keys of an id as people write them."""
        return tuple(dict.fromkeys(spoken(each) for each in names(self.keys[name])))


DEFAULT = Keymap({key.id: key for key in KEYS})
"""The table as it stands."""


def names(key: Key) -> tuple[str, ...]:
    """Textual's names of a row's keys."""
    return tuple(key.keys.split(",")) if key.keys else ()


class _Clash(NamedTuple):
    """Two rows want one key in one place."""

    name: str
    winner: Key
    loser: Key


class _Making:
    """A keymap while it is made."""

    def __init__(self) -> None:
        self.keys = {key.id: key for key in KEYS}
        self.rebound: set[str] = set()
        self.troubles: list[str] = []

    def rebind(self, name: str, text: str) -> None:
        """Give a row the keys that `text` names."""
        try:
            wanted = parsed(text)
        except NoSuchKey as error:
            told = _(
                'keys.{id}: "{text}" is no key, so it stays {keys}. Write Ctrl+L, F5, Esc or x, for example.'
            )
            kept = ", ".join(DEFAULT.spoken(name))
            self.troubles.append(told.format(id=name, text=sanitize_line(str(error), 40), keys=kept))
            return
        self.keys[name] = replace(self.keys[name], keys=",".join(wanted))
        self.rebound.add(name)
        self._look_at(self.keys[name])

    def _look_at(self, key: Key) -> None:
        """Say which of a row's keys will not do what the user may expect."""
        for name in names(key):
            if other := sent_as(name):
                told = _("keys.{id}: most terminals send {other} for {key}, which they cannot tell apart.")
                told = told.format(id=key.id, key=spoken(name), other=spoken(other))
                self.troubles.append(told)
        typed = [name for name in names(key) if is_typed(name)]
        if not typed:
            return
        if key.where in _WRITTEN_IN:
            told = _("keys.{id}: {key} cannot be typed there any more.")
        elif key.where in ("everywhere", "chat") and len(typed) == len(names(key)):
            told = _("keys.{id}: {key} works only while nothing is written, for there it is typed.")
        else:
            return
        self.troubles.append(told.format(id=key.id, key=", ".join(map(spoken, typed))))

    def keep_a_way_out(self) -> None:
        """Leave Ctrl+Q where the user left no key that surely quits."""
        key = self.keys[_QUIT]
        if not any(is_certain(name) for name in names(key)):
            kept = DEFAULT[_QUIT].keys
            self.keys[_QUIT] = replace(key, keys=",".join((*names(key), kept)))
            told = _("keys.quit: {key} stays, for nothing else would quit in every terminal.")
            self.troubles.append(told.format(key=spoken(kept)))

    def settle(self) -> None:
        """Take from each row the keys that another one wins, and say so."""
        lost: dict[str, set[str]] = {}
        for name, winner, loser in self._clashes():
            if self.rebound & {winner.id, loser.id} or winner.id == _QUIT:
                self.troubles.append(
                    _("{key} is bound to keys.{winner} and keys.{loser}: keys.{winner} wins.").format(
                        key=spoken(name), winner=winner.id, loser=loser.id
                    )
                )
            if not _is_partial(winner, loser):
                lost.setdefault(loser.id, set()).add(name)
        for name, gone in lost.items():
            kept = [each for each in names(self.keys[name]) if each not in gone]
            self.keys[name] = replace(self.keys[name], keys=",".join(kept))

    def _clashes(self) -> Iterator[_Clash]:
        seen: set[tuple[str, str, str]] = set()
        for here in FOCUSED:
            for name, rows in self._bound(here).items():
                winner, *losers = sorted(rows, key=self._rank)
                for loser in losers:
                    if (name, winner.id, loser.id) not in seen:
                        seen.add((name, winner.id, loser.id))
                        yield _Clash(name, winner, loser)

    def _bound(self, here: Where) -> dict[str, list[Key]]:
        """Which rows want which key while the focus is in `here`."""
        bound: dict[str, list[Key]] = {}
        heard = reaching(here)
        for key in self.keys.values():
            for name in names(key) if key.where in heard else ():
                # What writes a character there goes to nobody above.
                if key.where == here or here not in _WRITTEN_IN or not is_typed(name):
                    bound.setdefault(name, []).append(key)
        return bound

    def _rank(self, key: Key) -> tuple[bool, int, bool]:
        """Who goes first: quitting, then Textual's order, then what the user bound over the defaults."""
        place = 0 if key.where == "everywhere" else 1 if key.priority else 3 if key.where == "chat" else 2
        return key.id != _QUIT, place, key.id not in self.rebound


def _is_partial(winner: Key, loser: Key) -> bool:
    """Whether the loser's key still works elsewhere: the chat's own, which a widget in it takes."""
    return loser.where == "chat" and winner.where not in ("chat", "everywhere")

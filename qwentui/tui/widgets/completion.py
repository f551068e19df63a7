"""What may stand at the cursor: the protocol between a text and those who know how its words go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from qwentui.chat.matching import in_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text that may stand at the cursor; none of its strings need be safe to draw.

    Attributes:
        text: What is put into the composer, exactly. With a space at its end the user goes on behind it.
        about: What it is, a few words.
        label: What is shown in its place, "" for the text itself.
    """

    text: str
    about: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """Candidates for one place of a line.

    Attributes:
        start: The column of the first character that a candidate takes the place of.
        end: The column behind the last one; the same as `start` where nothing is written yet.
        candidates: The best one first, at least one.
    """

    start: int
    end: int
    candidates: tuple[Candidate, ...]


def best(wanted: str, candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """The candidates that `wanted` may mean; case does not matter.

    Those that begin with it, the exact one first; else those in which its letters stand in this order.
    """
    word = wanted.casefold()
    known = [(candidate.text.rstrip().casefold(), candidate) for candidate in candidates]
    beginning = [pair for pair in known if pair[0].startswith(word)]
    beginning.sort(key=lambda pair: pair[0] != word)
    found = beginning or [pair for pair in known if in_order(pair[0], word)]
    return tuple(candidate for _text, candidate in found)


class Completion(Protocol):
    """Knows how words of one kind go on, such as the names of commands."""

    def candidates(self, lines: Sequence[str], cursor: tuple[int, int]) -> Offer | None:
        """What may stand at the cursor, None where it is none of this one's words.

        Asked at every key, on the event loop: where there is nothing to complete it must say so after a
        glance, and elsewhere answer from memory. What must be fetched first is fetched in the background;
        `CompletingTextArea.look_again` asks anew when it has come.

        Args:
            lines: The whole text, without line ends. It is the document's own list, not to be changed.
            cursor: The row and the column of the cursor in characters, both from 0.
        """

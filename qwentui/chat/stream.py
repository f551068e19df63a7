"""The vocabulary of a streaming reply, and the draft that folds it into a message.

Backends produce these events, the session passes them on, and every reader (transcript, shell, meter,
store) takes them with one `match`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from qwentui.chat.message import Message, Role
from qwentui.chat.usage import ServerUsage


class Phase(StrEnum):
    """What a reply is waiting for or doing; each is told apart on screen."""

    CONNECTING = "connecting"
    LOADING = "loading"
    WAITING = "waiting"
    THINKING = "thinking"
    ANSWERING = "answering"


class FinishReason(StrEnum):
    """Why a reply ended.

    `stop` and `length` are the servers' own words; `cancelled` is the user's Escape, `error` a failure,
    `interrupted` a program or link that died while the reply ran.
    """

    STOP = "stop"
    LENGTH = "length"
    CANCELLED = "cancelled"
    ERROR = "error"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class PhaseChanged:
    """The reply entered a phase before its first token; thinking and answering are known by their deltas."""

    phase: Phase


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    """New text of the model's reasoning."""

    text: str


@dataclass(frozen=True, slots=True)
class TextDelta:
    """New text of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Retrying:
    """A try failed before any token; attempt number `attempt` of `attempts` follows in `delay` seconds."""

    attempt: int
    attempts: int
    delay: float
    reason: str


@dataclass(frozen=True, slots=True)
class Restoring:
    """A reply broke off after its first token, and is taken up in `delay` seconds.

    `attempt` counts the tries since the last new text, of `attempts` at most. `anew` is true where it begins
    again, for only thinking had come.
    """

    attempt: int
    attempts: int
    delay: float
    reason: str
    anew: bool


@dataclass(frozen=True, slots=True)
class AwaitingServer:
    """The server is gone; it is looked for again in `delay` seconds, and for `remaining` more at most."""

    delay: float
    remaining: float
    reason: str


@dataclass(frozen=True, slots=True)
class Trimmed:
    """What the request leaves out has changed: now the turns at the places `turns`."""

    turns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Miscounted:
    """The server counted `reported` prompt tokens where exactly `predicted` were expected.

    `likely_cut` says that so much is missing that the server must have cut the prompt.
    """

    predicted: int
    reported: int
    likely_cut: bool


@dataclass(frozen=True, slots=True)
class Finished:
    """The server said that the reply is complete (`done: true`, or a `finish_reason`)."""

    reason: FinishReason
    usage: ServerUsage = ServerUsage()
    model: str = ""


StreamEvent = (
    PhaseChanged
    | ThinkingDelta
    | TextDelta
    | Retrying
    | Restoring
    | AwaitingServer
    | Trimmed
    | Miscounted
    | Finished
)


@dataclass(slots=True)
class Draft:
    """A reply while it grows: O(1) for each event, one join at the end."""

    finished: Finished | None = None
    _content: list[str] = field(default_factory=list)
    _thinking: list[str] = field(default_factory=list)

    def feed(self, event: StreamEvent) -> None:
        """Fold one event in; those that carry no text and no end leave the draft as it is."""
        match event:
            case TextDelta(text):
                self._content.append(text)
            case ThinkingDelta(text):
                self._thinking.append(text)
            case Finished():
                self.finished = event
            case PhaseChanged() | Retrying() | Restoring() | AwaitingServer() | Trimmed() | Miscounted():
                pass

    @classmethod
    def of(cls, message: Message) -> Draft:
        """A draft that goes on with a partial message."""
        draft = cls()
        draft.feed(TextDelta(message.content))
        draft.feed(ThinkingDelta(message.thinking))
        return draft

    def message(self) -> Message:
        """The message as far as it has come."""
        return Message(Role.ASSISTANT, "".join(self._content), "".join(self._thinking))

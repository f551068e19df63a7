"""The settings as rows: which are listed, how a line shows one, and what is said about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from qwentui.chat.sanitize import sanitize_line
from qwentui.language import N_, _
from qwentui.store.setting_words import allowed
from qwentui.store.settings import Settings, leaves, value_of
from qwentui.store.settings_origin import decided, in_file
from qwentui.store.settings_text import DESCRIPTIONS, masked, toml_value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qwentui.store.settings import Loaded

Effect = Literal["now", "request", "chat", "start"]
"""From when on another value holds: at once, for the next request, for new chats, from the next start on."""

_ORDER = ("model", "context", "chat", "screen", "server", "gauges", "log", "retry")

USUAL = frozenset(
    {
        *(f"model.{name}" for name in ("name", "think", "num_ctx", "num_predict", "keep_alive", "preload")),
        *(f"model.{name}" for name in ("temperature", "top_k", "top_p", "min_p", "repeat_penalty")),
        *(f"context.{name}" for name in ("budget", "drop_rounds", "keep_rounds")),
        *("chat.parallel", "chat.titles"),
        *(f"screen.{name}" for name in ("language", "theme", "mouse", "vim", "fps", "clipboard")),
        *("server.host", "server.api", "gauges.vram_gib", "log.file", "log.log_prompts", "retry.attempts"),
    }
)
"""The keys that are listed unless all are wanted."""

_EFFECTS: dict[str, Effect] = {
    "model": "request",
    "model.name": "start",
    "model.system": "chat",
    "model.preload": "now",
    "context": "request",
    "chat": "now",
    "screen": "now",
    "screen.language": "start",
    "screen.mouse": "start",
    "screen.output": "start",
    "gauges": "now",
    "retry": "request",
    "retry.silence": "start",
}
"""By key, else by section; what is not there holds from the next start on."""

_BESIDE: dict[Effect, str] = {"start": N_("next start"), "chat": N_("new chats"), "request": "", "now": ""}
_SENTENCES: dict[Effect, str] = {
    "now": N_("A change holds at once."),
    "request": N_("A change holds from the next request on."),
    "chat": N_("A change holds for new chats."),
    "start": N_("A change holds from the next start on."),
}
_NAME = 17
_VALUE = 44
_WHEN = 11
_SOURCE = 30
_LEAST_SOURCE = 12
_REST = 56
"""Cells that go before those of the source."""
_GAP = 2


@dataclass(frozen=True, slots=True)
class Row:
    """One key: its path, its value, and where that comes from."""

    key: str
    value: Any
    source: str

    @property
    def kind(self) -> Any:  # noqa: ANN401 - a type as an annotation states it
        """The type of its values."""
        return leaves()[self.key]

    @property
    def choices(self) -> tuple[str, ...]:
        """What it can be, where that is one of a few; as it is written into the file."""
        if self.kind is bool:
            return ("false", "true")
        return get_args(self.kind) if get_origin(self.kind) is Literal else ()

    @property
    def may_be_unset(self) -> bool:
        """Whether it has no default."""
        return value_of(Settings(), self.key) is None

    @property
    def written(self) -> str:
        """Its value as the user would write it."""
        if self.value is None:
            return ""
        return self.value if isinstance(self.value, str) else toml_value(self.value)

    @property
    def shown(self) -> str:
        """Its value in one line, without what lets someone in."""
        return shown(self.key, self.value)


def shown(key: str, value: object) -> str:
    """A value of a key in one line, without what lets someone in."""
    value = masked(key, value)
    if value is None:
        return _("unset")
    return sanitize_line(value) if isinstance(value, str) and value else toml_value(value)


def rows_of(loaded: Loaded) -> list[Row]:
    """All keys, the sections in the order in which they are of use."""
    keys = sorted(leaves(), key=lambda key: _ORDER.index(key.partition(".")[0]))
    return [Row(key, value_of(loaded.settings, key), loaded.sources.get(key, "default")) for key in keys]


def chosen(rows: Iterable[Row], wanted: str, *, every: bool) -> list[Row]:
    """The rows that are listed.

    Args:
        rows: All of them.
        wanted: Words that must be in a key, its value or what it means; they are looked for in all keys.
        every: Whether all keys are wanted, not just the usual ones.
    """
    words = wanted.casefold().split()
    if not words:
        return [row for row in rows if every or row.key in USUAL]
    found = []
    for row in rows:
        text = f"{row.key} {row.shown} {source_text(row.source)} {_(DESCRIPTIONS[row.key])}".casefold()
        if all(word in text for word in words):
            found.append(row)
    return found


def effect(key: str) -> Effect:
    """From when on another value of a key holds."""
    return _EFFECTS.get(key) or _EFFECTS.get(key.partition(".")[0], "start")


def effect_sentence(key: str) -> str:
    """The same as a sentence."""
    return _(_SENTENCES[effect(key)])


def source_text(source: str) -> str:
    """Where a value comes from, in the user's language."""
    if source.startswith("profile "):
        return _("profile {name}").format(name=sanitize_line(source.removeprefix("profile ")))
    return {"default": _("default"), "file": _("file")}.get(source) or sanitize_line(source)


def line(row: Row, width: int) -> Text:
    """Name, value, when a change holds, and the source, in `width` cells."""
    source = min(max(width - _REST, _LEAST_SOURCE), _SOURCE)
    left = min(max(width - _GAP - _NAME - _WHEN - source - 2, 1), _VALUE)
    is_default = row.source == "default"
    return Text.assemble(
        " " * _GAP + _fit(row.key.partition(".")[2], _NAME),
        (_fit(row.shown, left) + " ", "dim" if is_default else "bold"),
        (_fit(_beside(row.key), _WHEN) + " ", "dim"),
        (_fit(source_text(row.source), source), "dim"),
    )


def _beside(key: str) -> str:
    beside = _BESIDE[effect(key)]
    return _(beside) if beside else ""


def about(row: Row) -> Text:
    """What the key means, what it may be, and what a change does."""
    default = shown(row.key, value_of(Settings(), row.key))
    sentences = [
        _("It is {allowed}.").format(allowed=allowed(row.kind)),
        _("The default is {value}.").format(value=default),
        effect_sentence(row.key),
    ]
    if row.key == "model.name":
        sentences.append(_("Ctrl+O chooses the model of this chat."))
    if not in_file(row.source):
        sentences.insert(0, decided(row.key, row.source))
    return Text.assemble(
        (row.key, "bold"), ": ", _(DESCRIPTIONS[row.key]), "\n", (" ".join(sentences), "dim")
    )


def _fit(text: str, width: int) -> str:
    """`text` in exactly `width` cells, with an ellipsis where it is cut."""
    if cell_len(text) > width > 0:
        text = set_cell_size(text, width - 1).rstrip() + "…"
    return set_cell_size(text, width)

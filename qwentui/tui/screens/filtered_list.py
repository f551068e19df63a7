"""Choosing by a few letters: a filter over the things that fit, and what is said of the one at the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from qwentui.language import _
from qwentui.tui.widgets.line import Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.text import Text
    from textual import events
    from textual.app import ComposeResult
    from textual.widget import Widget

T = TypeVar("T")
R = TypeVar("R")


class _Letters(Line):
    """The filter.

    Args:
        placeholder: What it says while it is empty.
        actions: The screen's actions for keys that are no letters here.
    """

    def __init__(self, placeholder: str, actions: Mapping[str, str]) -> None:
        super().__init__(placeholder=placeholder, compact=True)
        self._actions = actions

    async def _on_key(self, event: events.Key) -> None:
        """Act on a key when its turn has come, between those that came in the same burst.

        Textual runs a widget's bindings only after the key has travelled up to the app.
        """
        own = [binding.action for binding in self._bindings.key_to_bindings.get(event.key, ())]
        action = f"screen.{self._actions[event.key]}" if event.key in self._actions else next(iter(own), None)
        if action is not None:
            event.stop()
            event.prevent_default()
            await self.run_action(action)


class FilteredList(ModalScreen[R | None], Generic[T, R]):
    """Gives what a subclass makes of the thing that is taken, or None when the user goes back.

    Args:
        placeholder: What the filter says while it is empty.

    Attributes:
        shown: The things that fit, in their order.
    """

    BINDINGS: ClassVar[list[Binding | tuple[str, str] | tuple[str, str, str]]] = [
        Binding("escape", "back", "Back", show=False, priority=True),
    ]
    LETTER_ACTIONS: ClassVar[Mapping[str, str]] = {"down": "down", "up": "up", "enter": "take"}
    """The actions of keys that are no letters in the filter."""

    def __init__(self, placeholder: str) -> None:
        super().__init__()
        self._placeholder = placeholder
        self._filled: str | None = None
        self.shown: list[T] = []

    # What a subclass says

    def found(self, wanted: str) -> Sequence[T]:
        """The things that fit what is written, the best first."""
        raise NotImplementedError

    def line(self, thing: T) -> Text:
        """How a thing stands in the list."""
        raise NotImplementedError

    def take(self, thing: T) -> None:
        """The user took a thing."""
        raise NotImplementedError

    def point(self, thing: T) -> None:
        """The cursor is on a thing: nothing more is said of it, here."""

    def point_at_nothing(self) -> None:
        """Nothing fits what is written."""

    def below(self) -> Iterable[Widget]:
        """What stands between the list and the hint: nothing, here."""
        return ()

    def hint(self) -> str:
        """What the keys do."""
        return _("enter takes it · esc goes back")

    def untakable(self, _wanted: str) -> Iterable[Option]:
        """What stands in the list and cannot be taken: nothing, here."""
        return ()

    def begins_at(self) -> int:
        """Where the cursor is at first."""
        return 0

    # What the screen does

    def compose(self) -> ComposeResult:
        """The filter over the list over what is said."""
        with Vertical(id="panel"):
            yield _Letters(self._placeholder, self.LETTER_ACTIONS)
            yield OptionList(markup=False, compact=True)
            yield from self.below()
            yield Static(self.hint(), id="hint", markup=False)

    def on_mount(self) -> None:
        """Show all of them."""
        self._follow()
        if self.shown:
            self.query_one(OptionList).highlighted = self.begins_at()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what fits."""
        event.stop()
        self._follow()

    def _follow(self) -> None:
        """Show what fits the letters that are there by now, also those whose message is still to come."""
        wanted = self.query_one(Input).value
        if wanted == self._filled:
            return
        self._filled = wanted
        self.shown = list(self.found(wanted))
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(Option(self.line(thing)) for thing in self.shown)
        options.add_options(self.untakable(wanted))
        options.highlighted = 0 if self.shown else None
        if not self.shown:
            self.point_at_nothing()

    def line_again(self) -> None:
        """Write every line anew: something that they say has changed."""
        options = self.query_one(OptionList)
        for place, thing in enumerate(self.shown):
            options.replace_option_prompt_at_index(place, self.line(thing))

    @property
    def at_cursor(self) -> tuple[T, ...]:
        """The thing at the cursor; nothing where the list is empty."""
        self._follow()
        place = self.query_one(OptionList).highlighted
        return () if place is None else tuple(self.shown[place : place + 1])

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Say what is to be said of the thing at the cursor."""
        event.stop()
        for thing in self.shown[event.option_index : event.option_index + 1]:
            self.point(thing)

    def action_back(self) -> None:
        """Take nothing."""
        self.dismiss(None)

    def action_down(self) -> None:
        """Move down."""
        self._follow()
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        """Move up."""
        self._follow()
        self.query_one(OptionList).action_cursor_up()

    def action_take(self) -> None:
        """Take the thing at the cursor."""
        for thing in self.at_cursor:
            self.take(thing)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take the one that was clicked."""
        event.stop()
        self.action_take()

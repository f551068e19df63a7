"""What an Ollama server holds: chosen, shown, loaded, unloaded, pulled and removed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from qwentui.backends.choice import short_name
from qwentui.backends.model_faults import faults, parameters_of, shape_of_shown, template_kind
from qwentui.backends.ollama_models import OllamaModels, Step
from qwentui.backends.placement import listed, loaded_line
from qwentui.chat.errors import QwentuiError
from qwentui.chat.memory_fit import A10
from qwentui.chat.memory_words import memory_line
from qwentui.chat.sanitize import sanitize_line
from qwentui.language import N_, _
from qwentui.telemetry.transfer import Transfer, byte_text
from qwentui.tui.screens.model_picker import ModelPicker
from qwentui.tui.widgets.line import Line

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from textual.app import ComposeResult
    from textual.events import Resize
    from textual.worker import Worker

    from qwentui.backends.base import ModelSummary
    from qwentui.backends.ollama import OllamaBackend
    from qwentui.store.settings import Settings

_BAR = 20
_TALL = 20  # rows
_HINT = N_("enter takes it · s shows · l loads · u unloads · p pulls · d removes · esc goes back")


class ModelsScreen(ModelPicker):
    """A picker that can also change what there is to pick; one piece of work at a time.

    Args:
        backend: The server.
        models: Its models, in the order to show.
        loaded: The names of those in memory now.
        current: The name of the one in use, or "".
        settings: With how much context, and for how long, a model is loaded.
    """

    BINDINGS: ClassVar[list[Binding | tuple[str, str] | tuple[str, str, str]]] = [
        Binding("s", "about", "Show", show=False),
        Binding("l", "load", "Load", show=False),
        Binding("u", "unload", "Unload", show=False),
        Binding("p", "pull", "Pull", show=False),
        Binding("d", "remove", "Remove", show=False),
        Binding("y", "confirm", "Yes", show=False),
    ]

    def __init__(
        self,
        backend: OllamaBackend,
        models: tuple[ModelSummary, ...],
        loaded: frozenset[str],
        current: str,
        settings: Settings,
    ) -> None:
        super().__init__(_("Models at {host}").format(host=backend.host), models, loaded, current)
        self._backend = backend
        self._settings = settings
        retry = settings.retry
        self._changes = OllamaModels(backend.http, attempts=retry.attempts, delay=retry.delay)
        self._work: Worker[None] | None = None
        self._stays = ""
        self._doomed: ModelSummary | None = None
        self._transfer = Transfer()
        self._status = ""

    def compose(self) -> ComposeResult:
        """The list, what is going on, and a line for a name."""
        with Vertical(id="panel"):
            yield Static(self._question, id="message", markup=False)
            yield OptionList(*(Option(self._line(model)) for model in self._models), compact=True)
            name = Line(placeholder=_("qwen3:32b, or hf.co/OWNER/REPO:Q4_K_M"))
            name.display = False
            yield name
            status = Static("", id="progress", markup=False)
            status.display = False
            yield status
            yield Static(_(_HINT), id="hint", markup=False)

    def on_resize(self, event: Resize) -> None:
        """Give up the empty lines where there are few."""
        self.set_class(event.size.height < _TALL, "-short")

    @property
    def _chosen(self) -> ModelSummary | None:
        index = self.query_one(OptionList).highlighted
        return None if index is None else self._models[index]

    @property
    def _busy(self) -> bool:
        return self._work is not None and self._work.is_running

    def _say(self, text: str) -> None:
        status = self.query_one("#progress", Static)
        status.update(text)
        status.display = bool(text)

    def _say_busy(self) -> None:
        self._say(_("{status}: esc stops it.").format(status=self._status))

    def _begin(self, work: Coroutine[None, None, None], status: str, stays: str) -> None:
        """Do `work`; `stays` is what a user is told who stops it."""
        if self._busy:
            work.close()
            self._say_busy()
            return
        self._status, self._stays = status, stays
        self._say(f"{status}…")
        self._work = self.run_worker(self._guarded(work), exit_on_error=True)

    async def _guarded(self, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except QwentuiError as error:
            self._say(str(error))
        else:
            await self._look_again()

    async def _look_again(self) -> None:
        """Ask the server what it holds now."""
        try:
            models = await self._backend.models()
            loaded = await self._backend.loaded()
        except QwentuiError as error:
            self._say(str(error))
            return
        names, chosen = [model.name for model in models], self._chosen
        self._models, self._loaded = models, frozenset(model.name for model in loaded)
        options = self.query_one(OptionList)
        options.set_options(Option(self._line(model)) for model in models)
        if models:
            options.highlighted = names.index(chosen.name) if chosen and chosen.name in names else 0

    def action_about(self) -> None:
        """Show what the model is."""
        if model := self._chosen:
            status = _("asking about {model}").format(model=short_name(model.name))
            self._begin(self._about(model), status, _("Stopped."))

    async def _about(self, model: ModelSummary) -> None:
        show = await self._backend.show(model.name)
        lines = about_lines(show)
        shape = shape_of_shown(show, model.size or 0)
        if shape is not None:
            told = memory_line(shape, self._settings.model.num_ctx, A10, _("An A10"))
            lines.insert(1, _("memory: {told}").format(told=told))
        self._say("\n".join(lines))

    def action_load(self) -> None:
        """Load the model as the next chat will want it."""
        if model := self._chosen:
            shown = short_name(model.name)
            stays = _("Stopped; {model} is not loaded.").format(model=shown)
            self._begin(self._load(model), _("loading {model}").format(model=shown), stays)

    async def _load(self, model: ModelSummary) -> None:
        wanted = self._settings.model
        await self._backend.preload(model.name, wanted.num_ctx, wanted.keep_alive)
        found = listed(await self._backend.loaded(), model.name, model.digest)
        self._say(loaded_line(short_name(model.name), found, wanted.num_ctx))

    def action_unload(self) -> None:
        """Have the model leave the memory."""
        if model := self._chosen:
            status = _("unloading {model}").format(model=short_name(model.name))
            self._begin(self._unload(model), status, _("Stopped."))

    async def _unload(self, model: ModelSummary) -> None:
        await self._backend.unload(model.name)
        told = _("{model} leaves the memory when its running requests are done.")
        self._say(told.format(model=short_name(model.name)))

    def action_remove(self) -> None:
        """Ask whether the model is to go."""
        if self._busy:
            self._say_busy()
        elif model := self._chosen:
            self._doomed = model
            told = _("Remove {model} from the server's disk? y removes it, esc does not.")
            if model.size is not None:
                told = _("Remove {model} ({size}) from the server's disk? y removes it, esc does not.")
            self._say(told.format(model=short_name(model.name), size=byte_text(model.size or 0)))

    def action_confirm(self) -> None:
        """Remove the model that was asked about."""
        model, self._doomed = self._doomed, None
        if model is not None:
            status = _("removing {model}").format(model=short_name(model.name))
            self._begin(self._remove(model), status, _("Stopped."))

    async def _remove(self, model: ModelSummary) -> None:
        await self._changes.delete(model.name)
        self._say(_("{model} is removed.").format(model=short_name(model.name)))

    def action_pull(self) -> None:
        """Ask for a name."""
        self._doomed = None
        name = self.query_one(Input)
        name.display = True
        self.set_focus(name)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Pull what was named."""
        event.stop()
        name = event.value.strip()
        self._close_input()
        if name:
            shown = sanitize_line(name, 60)
            stays = _("Stopped; what has come stays on the server, and pulling {model} again goes on.")
            status = _("pulling {model}").format(model=shown)
            self._begin(self._pull(name), status, stays.format(model=shown))

    async def _pull(self, name: str) -> None:
        await self._changes.pull(name, self._show_step)
        told = _("{model} is on {host}.")
        self._say(told.format(model=sanitize_line(name, 60), host=self._backend.host))

    def _show_step(self, step: Step) -> None:
        if step.status != self._status:
            self._status, self._transfer = step.status, Transfer()
        text = step.status
        if step.total:
            self._transfer.add(step.done)
            full = round(min(step.done / step.total, 1.0) * _BAR)
            text += f"\n{'━' * full}{'─' * (_BAR - full)} {self._transfer.line(step.total)}"
        self._say(text)

    def _close_input(self) -> None:
        name = self.query_one(Input)
        name.value = ""
        name.display = False
        self.set_focus(self.query_one(OptionList))

    def action_back(self) -> None:
        """Take back what was begun last: the line for a name, a question, work; else go back."""
        if self.query_one(Input).display:
            self._close_input()
        elif self._doomed is not None:
            self._doomed = None
            self._say("")
        elif self._busy and self._work is not None:
            self._work.cancel()
            self.call_after_refresh(partial(self._say, self._stays))
        else:
            self.dismiss(None)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take the model, but leave no work behind that the screen's end would stop."""
        if self._busy:
            event.stop()
            event.prevent_default()
            self._say_busy()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Another model is no answer to the question about the first."""
        event.stop()
        if self._doomed is not None and self._doomed is not self._chosen:
            self._doomed = None
            self._say("")


def about_lines(show: dict[str, object]) -> list[str]:
    """What `/api/show` says of a model, a line for each thing."""
    template, listed = show.get("template"), show.get("capabilities")
    kind = template_kind(template if isinstance(template, str) else "")
    able = [sanitize_line(str(item)) for item in listed] if isinstance(listed, list) else []
    lines = [_("template: {kind}").format(kind=kind)]
    if able:
        lines[0] += " · " + _("can: {capabilities}").format(capabilities=", ".join(able))
    settings = [f"{sanitize_line(name)} {sanitize_line(value)}" for name, value in parameters_of(show)]
    if settings:
        lines.append(" · ".join(settings))
    return [*lines, *faults(show)]

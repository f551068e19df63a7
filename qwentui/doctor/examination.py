"""The whole examination, in the order in which one would look: machine, server, model, terminal, files."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from qwentui.backends.choice import fitting
from qwentui.backends.http import HttpClient
from qwentui.backends.model_faults import shape_of_shown
from qwentui.backends.ollama import OllamaBackend, same_model
from qwentui.chat.errors import BackendError, QwentuiError
from qwentui.doctor import card, context, files, model, server
from qwentui.doctor.finding import unknown
from qwentui.language import N_, _
from qwentui.store.paths import shipped

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from qwentui.backends.address import Endpoint
    from qwentui.backends.base import Backend, LoadedModel
    from qwentui.chat.memory_fit import ModelShape
    from qwentui.doctor.finding import Finding
    from qwentui.launch import Launch
    from qwentui.telemetry.vram import Cards

_CLOCK_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class Machine:
    """What is known of the card that the model runs on.

    Attributes:
        cards: This machine's, by NVML.
        vram: Bytes of the server's card as the user tells it, None to go by `cards`.
        parallel: Requests at a time (`OLLAMA_NUM_PARALLEL`), which no server tells.
    """

    cards: Cards
    vram: int | None = None
    parallel: int = 1

    def card_of(self, *, local: bool) -> int | None:
        """Bytes of the largest card that the server has, None where that is not known."""
        if self.vram is not None:
            return self.vram
        totals = [card.total for card in self.cards.cards if card.total]
        return max(totals, default=None) if local else None


async def examine_server(launch: Launch, machine: Machine, *, local: bool) -> AsyncIterator[Finding]:
    """The card, the server and the model.

    Args:
        launch: What is talked to.
        machine: What is known of the card.
        local: Whether the server is on this machine.
    """
    for found in card.check_cards(machine.cards, local=local):
        yield found
    settings = launch.settings
    endpoint = launch.endpoint()
    secret = bool(endpoint.bearer or endpoint.basic)
    for found in server.check_address(endpoint.host, local=local, plain=not endpoint.secure, secret=secret):
        yield found
    try:
        backend = await launch.open_server()
    except QwentuiError as error:
        yield server.check_unreachable(error, endpoint.host)
        return
    try:
        yield server.check_version(
            backend.host, await backend.version(), ollama=isinstance(backend, OllamaBackend)
        )
        yield server.check_clock(time.time(), await _server_time(endpoint))
        yield model.check_keep_alive(settings.model.keep_alive)
        async for found in _examine_models(launch, backend, machine.card_of(local=local), machine.parallel):
            yield found
    except BackendError as error:
        yield server.check_unreachable(error, backend.host)
    finally:
        await backend.aclose()


async def _server_time(endpoint: Endpoint) -> float | None:
    """The `Date` of a response in seconds since 1970."""
    http = HttpClient(endpoint)
    try:
        async with asyncio.timeout(_CLOCK_TIMEOUT), http.open("/") as exchange:
            response = await exchange.head
            return parsedate_to_datetime(response.headers.get("date", "")).timestamp()
    except (BackendError, TimeoutError, ValueError):
        return None
    finally:
        await http.aclose()


async def _examine_models(
    launch: Launch, backend: Backend, vram: int | None, parallel: int
) -> AsyncIterator[Finding]:
    wanted = launch.settings.model.name
    models = await backend.models()
    loaded = await backend.loaded()
    names = [summary.name for summary in models]
    fit = fitting(wanted, names, tuple(entry.name for entry in loaded))
    yield model.check_choice(wanted, fit, names)
    if not fit:
        return
    chosen = next(summary for summary in models if summary.name == fit[0])
    running = next((entry for entry in loaded if same_model(entry.name, chosen.name)), None)
    if not isinstance(backend, OllamaBackend):
        yield unknown(N_("template"), _("Only Ollama tells about templates, parameters and memory."))
        return
    for found in model.check_loaded(running):
        yield found
    show = await backend.show(chosen.name)
    for found in model.check_shown(show, wants_thinking=launch.settings.model.think == "on"):
        yield found
    shape = shape_of_shown(show, chosen.size or 0)
    num_ctx = launch.settings.model.num_ctx
    for found in _examine_num_ctx(launch, show, shape, running, vram):
        yield found
    for found in context.check_fit(shape, vram, num_ctx, parallel):
        yield found


def _examine_num_ctx(
    launch: Launch,
    show: dict[str, Any],
    shape: ModelShape | None,
    running: LoadedModel | None,
    vram: int | None,
) -> Iterator[Finding]:
    yield context.check_numbers(launch.trim_policy())
    yield from context.check_num_ctx(
        launch.settings.model.num_ctx,
        modelfile=model.modelfile_num_ctx(show),
        loaded=running.context_length if running is not None else None,
        trained=shape.context_length if shape is not None else None,
        vram=vram,
    )


def examine_files(launch: Launch) -> Iterator[Finding]:
    """What lies on this disk."""
    paths = launch.paths
    yield files.check_settings(paths.settings_file)
    yield from files.check_keys(launch.warnings)
    yield from files.check_themes((paths.themes, shipped("themes")), launch.settings.screen.theme)
    yield from files.check_personas(paths.personas)
    yield files.check_database(paths.database)
    yield from files.check_folders(paths)
    yield files.check_versions()

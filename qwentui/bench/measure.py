"""Runs a plan, one request after the other, and gives each result as it comes.

Every run is a conversation of its own, as a user begins one. The plain runs all ask the same, so from the
second on the server has the prompt's beginning in its cache; prompt evaluation is measured with prompts that
it cannot have. The seed of a run is its number, so that two benches ask for the same replies.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from qwentui.backends.base import ChatRequest
from qwentui.backends.ollama import OllamaBackend, same_model
from qwentui.bench import filler
from qwentui.bench.plan import PROBE_REPLY
from qwentui.bench.run import Run, Step
from qwentui.chat.errors import BackendError
from qwentui.chat.message import Message, Role
from qwentui.chat.stream import Finished
from qwentui.language import _
from qwentui.telemetry.meter import Meter

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from qwentui.backends.base import Backend
    from qwentui.bench.plan import Plan

_PATIENCE = 3  # runs that fail one after the other before the rest is given up
_LEAVING_LOOKS = 300  # for a model to leave the memory
_LEAVING_INTERVAL = 0.2  # seconds
_CALIBRATION = (len(filler.WORDS), 4 * len(filler.WORDS))  # words


class Measurement:
    """One plan at one server.

    Args:
        backend: The server.
        plan: What is asked.

    Attributes:
        notes: Sentences about what could not be measured, so far.
    """

    def __init__(self, backend: Backend, plan: Plan) -> None:
        self.notes: list[str] = []
        self._backend = backend
        self._plan = plan
        self._failures = 0

    async def runs(self) -> AsyncGenerator[Run, None]:
        """Each run when it is done, failed ones too.

        Raises:
            BackendError: The server is gone, or several runs failed one after the other; the last one has
                been given before.
        """
        async with aclosing(self._all()) as runs:
            async for run in runs:
                yield run
                await self._judge(run)

    async def _judge(self, run: Run) -> None:
        self._failures = self._failures + 1 if run.error else 0
        if self._failures:
            await self._backend.version()
        if self._failures >= _PATIENCE:
            failed = _("{count} runs failed one after the other, the last one so: {reason}")
            raise BackendError(failed.format(count=_PATIENCE, reason=run.error))

    async def _all(self) -> AsyncGenerator[Run, None]:
        if self._plan.cold and await self._unloaded():
            yield await self._measured(Step.COLD, 1, self._question(0))
        else:
            # What only the first request pays, the load above all, is not the first run's.
            await self._measured(Step.WARM, 0, self._question(0, num_predict=PROBE_REPLY))
        for number in range(1, self._plan.runs + 1):
            yield await self._measured(Step.WARM, number, self._question(number))
        async for run in self._at_lengths():
            yield run
        async for run in self._at_once():
            yield run

    async def _unloaded(self) -> bool:
        """Have the model leave the memory, and wait until it has."""
        if not isinstance(self._backend, OllamaBackend):
            self.notes.append(_("There is no cold run: only Ollama unloads a model when asked to."))
            return False
        try:
            await self._backend.unload(self._plan.model)
            for _look in range(_LEAVING_LOOKS):
                loaded = await self._backend.loaded()
                if not any(same_model(model.name, self._plan.model) for model in loaded):
                    return True
                await asyncio.sleep(_LEAVING_INTERVAL)
            stays = _("There is no cold run: the model did not leave the memory, others use it.")
            self.notes.append(stays)
        except BackendError as error:
            self.notes.append(_("There is no cold run: {reason}").format(reason=error.message))
        return False

    async def _at_lengths(self) -> AsyncGenerator[Run, None]:
        """Prompt evaluation, all lengths in turn, so that a machine that slows down does so for all."""
        plan = self._plan
        left_out = [length for length in plan.contexts if length not in plan.fitting_contexts]
        if left_out:
            lengths = ", ".join(f"{length:,}" for length in left_out)
            note = _("Left out, for it is outside the context of {num_ctx:,}: {lengths}.")
            self.notes.append(note.format(num_ctx=plan.num_ctx, lengths=lengths))
        if not plan.fitting_contexts:
            return
        made = await self._calibrated()
        for number in range(1, plan.repeats + 1):
            for length in plan.fitting_contexts:
                request = self._probe(made.words(length))
                yield await self._measured(Step.CONTEXT, number, request, length)

    async def _calibrated(self) -> filler.Filler:
        pairs = []
        for words in _CALIBRATION:
            run = await self._measured(Step.CONTEXT, 0, self._probe(words))
            if run.prompt_eval_count is None:
                note = _("The server does not count prompt tokens; their lengths are about right.")
                self.notes.append(note)
                return filler.Filler()
            pairs.append((words, run.prompt_eval_count))
        return filler.Filler.fitted(*pairs)

    async def _at_once(self) -> AsyncGenerator[Run, None]:
        for number in range(1, self._plan.repeats + 1):
            for count in self._plan.parallel:
                begun = time.monotonic()
                talks = (
                    self._measured(
                        Step.PARALLEL, number, self._question(number * 100 + place), count, begun=begun
                    )
                    for place in range(count)
                )
                for run in await asyncio.gather(*talks):
                    yield run

    async def _measured(
        self, step: Step, number: int, request: ChatRequest, target: int = 0, *, begun: float | None = None
    ) -> Run:
        """Ask, and time the answer; a failure is a part of the run."""
        meter = Meter(time.monotonic)
        started = 0.0 if begun is None else time.monotonic() - begun
        reason = error = ""
        try:
            async with self._backend.stream(request) as events:
                async for event in events:
                    meter.feed(event)
                    if isinstance(event, Finished):
                        reason = event.reason
        except BackendError as failure:
            error = str(failure)
        usage = meter.usage()
        return Run(
            step=step,
            number=number,
            target=target,
            started=started,
            ttft=usage.ttft,
            elapsed=usage.elapsed,
            prompt_eval_count=usage.server.prompt_eval_count,
            prompt_eval_duration=usage.server.prompt_eval_duration,
            eval_count=usage.server.eval_count,
            eval_duration=usage.server.eval_duration,
            load_duration=usage.server.load_duration,
            reason=reason,
            error=error,
        )

    def _question(self, seed: int, num_predict: int | None = None) -> ChatRequest:
        system = (Message(Role.SYSTEM, self._plan.system),) if self._plan.system else ()
        messages = (*system, Message(Role.USER, self._plan.prompt))
        return self._request(messages, seed, num_predict or self._plan.num_predict, self._plan.think)

    def _probe(self, words: int) -> ChatRequest:
        think = None if self._plan.think is None else False
        return self._request(filler.talk(words), 0, PROBE_REPLY, think)

    def _request(
        self, messages: tuple[Message, ...], seed: int, num_predict: int, think: bool | None
    ) -> ChatRequest:
        plan = self._plan
        return ChatRequest(
            model=plan.model,
            messages=messages,
            think=think,
            sampling=replace(plan.sampling, seed=seed),
            num_ctx=plan.num_ctx,
            num_predict=num_predict,
            keep_alive=plan.keep_alive,
            paced=False,
        )

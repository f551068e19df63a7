"""A bench as it runs: the server opened, each run shown, what came kept however it ends."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import aclosing
from dataclasses import dataclass
from shutil import get_terminal_size
from typing import TYPE_CHECKING

import click

from qwentui.bench.ledger import Ledger
from qwentui.bench.measure import Measurement
from qwentui.bench.plan import RECIPE_PROMPT, Plan
from qwentui.bench.run import Result, Run, Step
from qwentui.chat.errors import QwentuiError, SettingsError, StoreError
from qwentui.cli.cells import fitted
from qwentui.cli.output import Progress, warn
from qwentui.cli.served import choose_model, open_backend
from qwentui.language import N_, _, ngettext

if TYPE_CHECKING:
    from qwentui.backends.base import Backend
    from qwentui.bench.results import Results
    from qwentui.launch import Launch

_INTERRUPTED = 130
_SIGNALLED = 128
_REPLY = 512  # tokens; some 200 Chinese characters take half of it
_STEPS = {
    Step.COLD: N_("cold run"),
    Step.WARM: N_("one conversation"),
    Step.CONTEXT: N_("prompt evaluation"),
    Step.PARALLEL: N_("conversations at once"),
}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the flags ask of a bench; see `Plan`. `prompt` None is the recipe's."""

    runs: int
    prompt: str | None
    contexts: tuple[int, ...]
    parallel: tuple[int, ...]
    cold: bool
    think: bool


def measured(launch: Launch, wishes: Wishes, results: Results) -> tuple[Result, int]:
    """Run a bench and keep it. Returns it, or the part of it that there is, and the exit code.

    Raises:
        QwentuiError: Nothing could be measured.
        SystemExit: It was stopped before its first run was done.
    """
    bench = _Bench(launch, wishes, results)
    stopped, code = "", 0
    try:
        asyncio.run(bench.run())
    except KeyboardInterrupt:
        stopped, code = _("It was stopped by Ctrl+C."), _INTERRUPTED
    except QwentuiError as error:
        if not bench.has_begun:
            raise
        stopped, code = str(error), 1
    except (asyncio.CancelledError, OSError):
        # A terminal that is gone takes no line of progress any more.
        if bench.ended_by is None:
            raise
        stopped = _("It was ended by {signal}.").format(signal=bench.ended_by.name)
        code = _SIGNALLED + bench.ended_by
    if bench.ledger is None or not bench.has_begun:
        warn(_("{reason} Nothing was measured yet.").format(reason=stopped))
        sys.exit(code)
    result = bench.ledger.result(stopped)
    _keep(results, result)
    if stopped:
        warn(stopped)
    return result, code or bool(result.failed)


def _keep(results: Results, result: Result) -> None:
    try:
        results.keep(result)
    except StoreError as error:
        warn(_("The result is not kept: {reason}").format(reason=error))


class _Bench:
    """A bench on its way.

    Attributes:
        ledger: What came of it, once it is known what is asked.
        ended_by: The signal that ended it before its end: a link that dropped, a machine that goes down.
    """

    def __init__(self, launch: Launch, wishes: Wishes, results: Results) -> None:
        self.ledger: Ledger | None = None
        self.ended_by: signal.Signals | None = None
        self._launch = launch
        self._wishes = wishes
        self._results = results
        self._task: asyncio.Task[None] | None = None

    @property
    def has_begun(self) -> bool:
        """Whether there is anything to report."""
        return self.ledger is not None and bool(self.ledger.runs)

    async def run(self) -> None:
        """Measure, from the first request to the last."""
        loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._end, number)
        backend = await open_backend(self._launch)
        try:
            plan = await _planned(self._launch, self._wishes, backend)
            self.ledger = Ledger(plan, self._results.ids())
            await self.ledger.open(backend)
            try:
                await _gather(backend, plan, self.ledger)
            finally:
                self.ledger.close()
        finally:
            await backend.aclose()

    def _end(self, number: signal.Signals) -> None:
        self.ended_by = number
        if self._task is not None:
            self._task.cancel()


async def _planned(launch: Launch, wishes: Wishes, backend: Backend) -> Plan:
    model = await backend.details(await choose_model(launch, backend))
    wanted = launch.settings.model
    if wishes.think and not model.can_think:
        raise SettingsError(_("{model} cannot think.").format(model=model.name), _("Leave out --think."))
    num_ctx = min(wanted.num_ctx, model.context_length or wanted.num_ctx)
    # Thoughts are long; without them the same bound for all keeps two benches comparable.
    longest = wanted.num_predict if wishes.think else min(wanted.num_predict, _REPLY)
    return Plan(
        model=model.name,
        prompt=RECIPE_PROMPT if wishes.prompt is None else wishes.prompt,
        system=wanted.system,
        runs=wishes.runs,
        contexts=wishes.contexts,
        parallel=wishes.parallel,
        cold=wishes.cold,
        think=wishes.think if model.can_think else None,
        sampling=launch.sampling(),
        num_ctx=num_ctx,
        num_predict=min(longest, num_ctx // 2),
        keep_alive=wanted.keep_alive,
    )


async def _gather(backend: Backend, plan: Plan, ledger: Ledger) -> None:
    measurement = Measurement(backend, plan)
    last: Step | None = None
    try:
        with Progress() as progress:
            progress.show(_("loading {model}…").format(model=plan.model))
            async with aclosing(measurement.runs()) as runs:
                async for run in runs:
                    ledger.runs.append(run)
                    if run.step is not last:
                        last = run.step
                        _say_step(last)
                        await ledger.weigh(backend)
                    progress.show(_line(run, len(ledger.runs), plan.requests))
        await ledger.weigh(backend)
    finally:
        ledger.notes += measurement.notes


def _say_step(step: Step) -> None:
    """Where nothing is written over, a line a step tells that it goes on."""
    if not sys.stderr.isatty():
        click.echo(_(_STEPS[step]) + "…", err=True)


def _line(run: Run, done: int, requests: int) -> str:
    name = _(_STEPS[run.step])
    if run.step is Step.CONTEXT:
        name = _("prompt evaluation, {count:,} tokens").format(count=run.target)
    elif run.step is Step.PARALLEL:
        name = ngettext("{n} conversation at once", "{n} conversations at once", run.target)
        name = name.format(n=run.target)
    parts = [_("{done:,} of {all:,}").format(done=done, all=requests), name]
    if run.error:
        parts.append(_("failed"))
    elif run.ttft is not None:
        parts.append(_("first token {seconds:.2f} s").format(seconds=run.ttft))
    if run.received_rate is not None:
        parts.append(f"{run.received_rate:.1f} tok/s")
    return fitted(" · ".join(parts), get_terminal_size().columns - 1).rstrip()

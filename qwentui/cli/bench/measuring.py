"""A bench as it runs: the server opened, each run shown, what came kept however it ends."""

from __future__ import annotations

import asyncio
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
from qwentui.cli.output import Progress
from qwentui.cli.served import choose_model, open_backend

if TYPE_CHECKING:
    from qwentui.backends.base import Backend
    from qwentui.bench.results import Results
    from qwentui.launch import Launch

_INTERRUPTED = 130
_REPLY = 512  # tokens; some 200 Chinese characters take half of it
_STEPS = {
    Step.COLD: "cold run",
    Step.WARM: "one conversation",
    Step.CONTEXT: "prompt evaluation",
    Step.PARALLEL: "conversations at once",
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
    ledgers: list[Ledger] = []
    stopped, code = "", 0
    try:
        asyncio.run(_measure(launch, wishes, results, ledgers))
    except KeyboardInterrupt:
        if not ledgers or not ledgers[0].runs:
            click.echo("qwentui: Stopped before anything was measured.", err=True)
            sys.exit(_INTERRUPTED)
        stopped, code = "It was stopped by Ctrl+C.", _INTERRUPTED
    except QwentuiError as error:
        if not ledgers or not ledgers[0].runs:
            raise
        stopped, code = str(error), 1
    result = ledgers[0].result(stopped)
    if stopped:
        click.echo(f"qwentui: {stopped}", err=True)
    try:
        results.keep(result)
    except StoreError as error:
        click.echo(f"qwentui: The result is not kept: {error}", err=True)
    return result, code or (1 if result.failed else 0)


async def _measure(launch: Launch, wishes: Wishes, results: Results, ledgers: list[Ledger]) -> None:
    backend = await open_backend(launch)
    try:
        plan = await _planned(launch, wishes, backend)
        ledger = Ledger(plan, results.ids())
        ledgers.append(ledger)
        await ledger.open(backend)
        try:
            await _gather(backend, plan, ledger)
        finally:
            ledger.close()
    finally:
        await backend.aclose()


async def _planned(launch: Launch, wishes: Wishes, backend: Backend) -> Plan:
    model = await backend.details(await choose_model(launch, backend))
    wanted = launch.settings.model
    if wishes.think and not model.can_think:
        raise SettingsError(f"{model.name} cannot think.", "Leave out --think.")
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
            progress.show(f"loading {plan.model}…")
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
        click.echo(f"{_STEPS[step]}…", err=True)


def _line(run: Run, done: int, requests: int) -> str:
    name = _STEPS[run.step]
    if run.step is Step.CONTEXT:
        name = f"{name}, {run.target:,} tokens"
    elif run.step is Step.PARALLEL:
        name = f"{run.target} {name}"
    parts = [f"{done:,} of {requests:,}", name]
    if run.error:
        parts.append("failed")
    elif run.ttft is not None:
        parts.append(f"first token {run.ttft:.2f} s")
    if run.received_rate is not None:
        parts.append(f"{run.received_rate:.1f} tok/s")
    return " · ".join(parts)[: get_terminal_size().columns - 1]

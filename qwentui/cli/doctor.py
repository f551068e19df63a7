"""`qwentui doctor`: is this machine set up right."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

import click

from qwentui.chat.errors import SettingsError
from qwentui.cli import speaking
from qwentui.cli.cells import padded
from qwentui.cli.shared_options import with_host, with_model
from qwentui.doctor.finding import Finding, Verdict, broken, exit_code
from qwentui.language import N_, _, ngettext

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwentui.cli.flags import Flags
    from qwentui.launch import Launch

_MARKS = {
    Verdict.GOOD: ("ok", "green"),
    Verdict.UNKNOWN: ("--", "bright_black"),
    Verdict.WARNING: ("!!", "yellow"),
    Verdict.BROKEN: ("XX", "red"),
}
_NAME_WIDTH = 19
_GIB = 1 << 30


@speaking.command("doctor")
@with_model
@with_host
@speaking.option(
    "--vram", metavar="GIB", type=click.FloatRange(min=1), help=N_("Memory of the server's card in GiB.")
)
@speaking.option(
    "--parallel",
    metavar="N",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help=N_("Requests at a time (OLLAMA_NUM_PARALLEL) for which the memory is reckoned."),
)
@speaking.option("--json", "as_json", is_flag=True, help=N_("Print one JSON record a check."))
@click.pass_obj
def command(
    flags: Flags, *, model: str | None, host: str | None, vram: float | None, parallel: int, as_json: bool
) -> None:
    """Check this machine, the server, the model, the terminal and the files; change nothing.

    Ends with 0 when all is well, 1 with warnings, 2 when something is broken.
    """
    from qwentui.cli.output import standard_output

    found: list[Finding] = []
    launch = _launch(flags.overlaid(model, host, None), found)
    asyncio.run(_examine(launch, found, vram, parallel, shown=not as_json))
    if as_json:
        with standard_output() as file:
            for finding in found:
                file.write(_record(finding) + b"\n")
    else:
        click.echo(_summary(found))
    sys.exit(exit_code(found))


def _launch(flags: Flags, found: list[Finding]) -> Launch:
    """As the program starts; settings that cannot be used are a finding, and the defaults stand in."""
    from qwentui.launch import Launch
    from qwentui.store.paths import user_paths
    from qwentui.store.settings import Settings

    try:
        return flags.launch()
    except SettingsError as error:
        found.append(broken(N_("settings"), error.message, error.hint))
        return Launch(user_paths(), Settings())


async def _examine(
    launch: Launch, found: list[Finding], vram: float | None, parallel: int, *, shown: bool
) -> None:
    from qwentui.doctor.examination import Machine, examine_files, examine_server
    from qwentui.telemetry.nvml import NvmlProbe
    from qwentui.telemetry.vram import is_local

    def take(finding: Finding) -> None:
        found.append(finding)
        if shown:
            click.echo(_line(finding))

    if shown:
        for finding in found:
            click.echo(_line(finding))
    probe = NvmlProbe()
    try:
        cards = await asyncio.to_thread(probe.sample)
    finally:
        probe.close()
    machine = Machine(cards, None if vram is None else round(vram * _GIB), parallel)
    local = is_local(launch.endpoint().host)
    async for finding in examine_server(launch, machine, local=local):
        take(finding)
    for finding in (*_examine_terminal(), *examine_files(launch)):
        if finding.check != "settings" or all(known.check != "settings" for known in found):
            take(finding)


def _examine_terminal() -> Iterator[Finding]:
    from contextlib import suppress
    from shutil import get_terminal_size

    from qwentui.doctor import terminal
    from qwentui.doctor.finding import unknown
    from qwentui.doctor.probe import ask_terminal, tmux_options

    if not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
        yield unknown(N_("terminal"), _("This is none; run it in one to have it checked."))
        return
    yield from terminal.check_environment(os.environ, *get_terminal_size())
    with suppress(OSError):
        yield from terminal.check_answers(ask_terminal(sys.stdin.fileno()))
    if os.environ.get("TMUX"):
        yield from terminal.check_tmux(tmux_options())


def _line(finding: Finding) -> str:
    mark, colour = _MARKS[finding.verdict]
    styled = mark if os.environ.get("NO_COLOR") else click.style(mark, fg=colour)
    text = f"{styled}  {padded(_(finding.check), _NAME_WIDTH)} {finding.evidence}"
    return f"{text}\n{' ' * (_NAME_WIDTH + 5)}{finding.remedy}" if finding.remedy else text


def _summary(found: list[Finding]) -> str:
    count = {verdict: sum(finding.verdict is verdict for finding in found) for verdict in Verdict}
    if not count[Verdict.WARNING] + count[Verdict.BROKEN]:
        well = ngettext("All is well: {n} check.", "All is well: {n} checks.", count[Verdict.GOOD])
        return "\n" + well.format(n=count[Verdict.GOOD])
    return "\n" + _("{broken} broken, {warnings} warnings, {good} good.").format(
        broken=count[Verdict.BROKEN], warnings=count[Verdict.WARNING], good=count[Verdict.GOOD]
    )


def _record(finding: Finding) -> bytes:
    import msgspec

    return msgspec.json.encode(msgspec.to_builtins(finding))

"""`qwentui bench`: how fast this machine answers, as a table that can be compared with another day's."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from qwentui.chat.errors import SettingsError
from qwentui.cli import speaking
from qwentui.cli.shared_options import with_embedded, with_host, with_model
from qwentui.language import N_, _

if TYPE_CHECKING:
    from collections.abc import Callable

    from qwentui.bench.results import Results
    from qwentui.bench.run import Result
    from qwentui.cli.flags import Flags


_MOST = 1_000_000
_MOST_AT_ONCE = 64


def _numbers(most: int) -> Callable[[click.Context, click.Parameter, str], tuple[int, ...]]:
    """Reads whole numbers from 1 to `most` with commas between them: each once, in order."""

    def read(ctx: click.Context, param: click.Parameter, value: str) -> tuple[int, ...]:
        try:
            numbers = sorted({int(part) for part in value.split(",") if part.strip()})
        except ValueError:
            numbers = [0]
        if any(not 0 < number <= most for number in numbers):
            sentence = _("{value!r} is no list of numbers from 1 to {most:,}, such as 1,2,3.")
            raise click.BadParameter(sentence.format(value=value, most=most), ctx, param)
        return tuple(numbers)

    return read


@speaking.command("bench")
@with_model
@with_host
@with_embedded
@speaking.option(
    "--runs", type=click.IntRange(1, _MOST), default=100, show_default=True, help=N_("Plain runs.")
)
@speaking.option(
    "--prompt", metavar="TEXT", help=N_("What each of them asks; by default the recipe's prompt.")
)
@speaking.option(
    "--contexts",
    callback=_numbers(_MOST),
    metavar="N,N",
    default="512,1024,2048,4096,7000",
    show_default=True,
    help=N_('Lengths of prompts in tokens at which their evaluation is measured; "" for none.'),
)
@speaking.option(
    "--parallel",
    callback=_numbers(_MOST_AT_ONCE),
    metavar="N,N",
    default="1,2,3",
    show_default=True,
    help=N_('Numbers of conversations at once; "" for none.'),
)
@speaking.option("--no-cold", is_flag=True, help=N_("Leave the model loaded: no cold run."))
@speaking.option("--think", is_flag=True, help=N_("Let the model think."))
@speaking.option(
    "--format",
    "form",
    type=click.Choice(("table", "markdown", "csv")),
    default="table",
    show_default=True,
    help=N_("Form of the report; csv has a row a request."),
)
@speaking.option(
    "--json", "as_json", is_flag=True, help=N_("Print one JSON record, with every run and all figures.")
)
@speaking.option(
    "--plot", metavar="FILE.svg", help=N_("Draw the first tokens, too; - draws in the terminal.")
)
@speaking.option(
    "--compare",
    metavar="[ID]",
    is_flag=False,
    flag_value="",
    help=N_(
        "Measure nothing: show the last bench beside ID, or beside the last one before something changed."
    ),
)
@speaking.option("--show", metavar="ID", help=N_("Measure nothing: show a bench that was kept."))
@speaking.option(
    "--list", "listed", is_flag=True, help=N_("Measure nothing: list the benches that were kept.")
)
@click.pass_obj
def command(
    flags: Flags,
    *,
    model: str | None,
    host: str | None,
    embedded: str | None,
    runs: int,
    prompt: str | None,
    contexts: tuple[int, ...],
    parallel: tuple[int, ...],
    no_cold: bool,
    think: bool,
    form: str,
    as_json: bool,
    plot: str | None,
    compare: str | None,
    show: str | None,
    listed: bool,
) -> None:
    """Measure first token, tokens per second, prompt evaluation and conversations at once.

    The results are kept. Ctrl+C ends it early with what there is, and exit code 130; a bench with failed runs
    ends with 1. The cold run unloads the model first, also for others who use the server.
    """
    from qwentui.bench.results import Results
    from qwentui.cli.bench.output import Output
    from qwentui.cli.output import told, warn
    from qwentui.store.paths import user_paths

    speaking.speak_as_set(flags)
    results = Results(user_paths().benches, warn)
    output = Output(form, as_json=as_json, plot=plot)
    if listed:
        output.list_results(results.all())
    elif compare is not None:
        output.show_comparison(*_pair(results, compare))
    elif show is not None:
        output.show_result(results.find(show, results.all()))
    else:
        from qwentui.cli.bench.measuring import Wishes, measured

        wishes = Wishes(runs, prompt, contexts, parallel, cold=not no_cold, think=think)
        launch = told(flags.overlaid(model, host, embedded).launch())
        result, code = measured(launch, wishes, results)
        output.show_result(result)
        sys.exit(code)


def _pair(results: Results, before: str) -> tuple[Result, Result]:
    """The bench of before, and the newest one."""
    from qwentui.bench.comparison import earlier

    kept = results.all()
    if not kept:
        raise SettingsError(_("No bench was kept yet."), _("Run one: qwentui bench"))
    newest = kept[-1]
    if before:
        return results.find(before, kept), newest
    older = earlier(newest, kept)
    if older is None:
        raise SettingsError(
            _("There is no bench before {id} with the same model and server.").format(id=newest.id),
            _("Run another one, or name one: qwentui bench --list"),
        )
    return older, newest

"""What a start costs: `qwentui --version` beside `python -c pass`, the first paint beside an empty Textual app's.

    python tests/bench/bench_start.py [--runs 15]

Each start is a process of its own in a pseudo-terminal of 120 columns and 36 rows that answers Textual's queries;
the kinds take turns, so that what else the machine does falls on all alike. The figures are CPU, user and system,
in milliseconds. A start that paints ends itself with the first paint that has the focus in its text area.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from terminal import Terminal

if TYPE_CHECKING:
    from textual.app import App, ComposeResult

CHILD = [sys.executable, __file__, "--child"]
KINDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "qwentui --version": [sys.executable, "-m", "qwentui", "--version"],
    "an empty Textual app": [*CHILD, "empty"],
    "qwentui": [*CHILD, "qwentui"],
}
NOWHERE = {"OLLAMA_HOST": "127.0.0.1:1"}


def empty() -> App[None]:
    """The least that can be compared: Textual with the one widget that an empty chat has too."""
    from textual.app import App
    from textual.widgets import TextArea

    class Empty(App[None]):
        def compose(self) -> ComposeResult:
            yield TextArea()

    return Empty()


def program() -> App[None]:
    """The program, made as its command line makes it."""
    from qwentui import cli  # noqa: F401 - its import is a part of the start
    from qwentui.cli.flags import Flags
    from qwentui.store.paths import shipped
    from qwentui.store.theme_choice import choose

    launch = Flags().launch()
    theme = choose(launch.settings.screen.theme, (launch.paths.themes, shipped("themes")), os.environ).theme

    from qwentui.tui.app import QwentuiApp

    return QwentuiApp(launch, theme)


def paint_once(app: App[None]) -> None:
    """Run an app until its first paint is on its way to the terminal."""

    def painted() -> None:
        if app.focused is not None:
            os._exit(0)

    vars(app)["post_display_hook"] = painted
    app.run()


def cost(kind: str) -> float:
    """The CPU of one start, in milliseconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with Terminal(KINDS[kind], env=NOWHERE) as terminal:
        if terminal.wait_exit() != 0:
            raise SystemExit(f"{kind} did not start:\n{terminal.screen_text()}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


def main() -> None:
    """Measure each kind in turn, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--child", choices=["empty", "qwentui"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is not None:
        paint_once(empty() if options.child == "empty" else program())
        return
    for kind in KINDS:
        cost(kind)  # bytecode and the disk's cache
    runs = [{kind: cost(kind) for kind in KINDS} for _ in range(options.runs)]
    middle = {kind: statistics.median(run[kind] for run in runs) for kind in KINDS}
    print(f"{'':24}{'CPU ms':>8}{'least':>8}   beside")
    for kind, base in zip(KINDS, ("", "python -c pass", "", "an empty Textual app"), strict=True):
        ratio = f"{middle[kind] / middle[base]:.2f} times {base}" if base else ""
        print(f"{kind:24}{middle[kind]:8.0f}{min(run[kind] for run in runs):8.0f}   {ratio}")


if __name__ == "__main__":
    main()

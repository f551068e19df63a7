"""What the transcript costs, beside Textual's own Markdown widget in the same kind of process.

Each case runs in a fresh process on a pseudo-terminal of 120 columns and 36 rows, whose output is read and
thrown away; what is in memory at the first paint is kept out of garbage collection (`gc.freeze`), whichever
widget runs. Run all cases, or those that are named:

    python tests/bench/bench_transcript.py [case ...]
"""

from __future__ import annotations

import asyncio
import fcntl
import gc
import json
import os
import resource
import struct
import subprocess
import sys
import termios
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from textual.pilot import Pilot

ROWS, COLUMNS = 36, 120
CAP = 25.0
"""Seconds after which a case that streams is ended, done or not."""

Figures = dict[str, float]

PROSE = (
    "When a parcel leaves the warehouse, the **carrier** scans it, and from then on `track` says where it is. "
    "Most of them arrive within *two days*; those that cross a border take longer, for customs look at each.\n\n"
    "- keep the receipt until the parcel is there\n- ask once the third day is over\n\n"
)


def tokens(text: str) -> Iterator[str]:
    """Cut a text into pieces of four characters, about a token each."""
    for start in range(0, len(text), 4):
        yield text[start : start + 4]


def prose(count: int) -> str:
    return (PROSE * (count * 4 // len(PROSE) + 1))[: count * 4]


TEXTS: dict[str, Callable[[], str]] = {
    "prose, 20,000 tokens": lambda: prose(20_000),
    "a fence of 2,000 lines": lambda: (
        "```python\n" + "".join(f"value_{n} = compute({n}, 'x')\n" for n in range(2_000))
    ),
    "a table of 1,000 rows": lambda: "| a | b | c |\n|---|---|---|\n" + "| one | two *x* | 3 |\n" * 1_000,
    "a list of 1,000 items": lambda: "- an item with some words\n" * 1_000,
    "an item with a fence": lambda: "- item\n\n  ```python\n" + "  value = compute(1)\n" * 1_000,
    "an endless paragraph": lambda: "several words of one paragraph that does not end " * 1_000,
}


class Process:
    """One case in a process of its own; `measured` holds what it reported and what went to the terminal."""

    def __init__(self, case: str, variant: str) -> None:
        host, guest = os.openpty()
        fcntl.ioctl(guest, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        report, told = os.pipe()
        command = [sys.executable, __file__, "--child", case, variant, str(told)]
        environment = os.environ | {
            "TERM": "xterm-256color",
            "TEXTUAL_FPS": "1000" if case in TEXTS else "60",
        }
        started = time.time()
        child = subprocess.Popen(
            [*command, str(started)],
            stdin=guest,
            stdout=guest,
            stderr=guest,
            pass_fds=[told],
            env=environment,
        )
        os.close(guest)
        os.close(told)
        self.bytes = 0
        reader = threading.Thread(target=self._drain, args=(host,), daemon=True)
        reader.start()
        with os.fdopen(report) as file:
            text = file.read()
        child.wait()
        self.measured: Figures = json.loads(text) if text else {}

    def _drain(self, host: int) -> None:
        with suppress(OSError):
            while chunk := os.read(host, 65_536):
                self.bytes += len(chunk)


# What runs in the child


def app_of(variant: str, messages: int = 0) -> Any:
    """An app with an empty view of the variant, and how to append to it."""
    from textual.app import App
    from textual.containers import VerticalScroll
    from textual.widgets import Markdown

    from qwentui.tui.transcript.items import ReplyItem, UserItem
    from qwentui.tui.transcript.palette import Palette
    from qwentui.tui.transcript.view import Transcript

    class Bench(App[None]):
        append: Callable[[str], Awaitable[object]]

        def compose(self) -> Any:
            if variant == "Markdown":
                with VerticalScroll():
                    yield Markdown("")
            else:
                yield Transcript(Palette.from_colors())

        def on_mount(self) -> None:
            if variant == "Markdown":
                self.query_one(VerticalScroll).anchor()
                self.append = self.query_one(Markdown).append
                return
            transcript = self.query_one(Transcript)
            items = [
                UserItem(f"question {n}")
                if n % 2 == 0
                else ReplyItem(f"answer {n}\n\n{PROSE}", footer="stop")
                for n in range(messages)
            ]
            transcript.load(items)
            transcript.focus()
            transcript.open_reply("m")

            async def append(text: str) -> None:
                transcript.feed_text(text)

            self.append = append

    return Bench()


async def frame(app: Any) -> None:
    """Wait until what was appended is on the screen."""
    shown = asyncio.Event()
    app.screen.call_after_refresh(shown.set)
    await shown.wait()


async def after(condition: Callable[[], bool]) -> None:
    """Let the loop go on until something is true."""
    while not condition():  # noqa: ASYNC110 - the widget needs no such event of its own
        await asyncio.sleep(0)


async def stream(app: Any, case: str) -> Figures:
    """Two tokens a frame, without pauses: CPU per token at the beginning and at the end."""
    transcript = next(iter(app.query("Transcript")), None)
    if transcript is not None:
        transcript._beat._period = 0
    marks: list[float] = []
    began = time.perf_counter()
    pieces = list(tokens(TEXTS[case]()))
    for number in range(0, len(pieces), 2):
        await app.append("".join(pieces[number : number + 2]))
        if transcript is not None:
            await after(lambda: not transcript._beat._dirty.is_set())
        await frame(app)
        if number % 100 == 0:
            marks.append(time.process_time())
        if time.perf_counter() - began > CAP:
            break
    figures = {"fed": len(marks) * 100, "cpu": (marks[-1] - marks[0]) / len(marks) * 10}
    if len(marks) > 20:
        figures |= {"first": marks[12] - marks[2], "last": marks[-1] - marks[-11]}
    return figures


async def paced(app: Any, _case: str) -> Figures:
    """Fifty tokens a second for twelve seconds."""
    pieces = list(tokens(prose(750)))
    began, cpu = time.perf_counter(), 0.0
    for number, piece in enumerate(pieces):
        if number == 150:
            cpu = time.process_time()
        await app.append(piece)
        await asyncio.sleep(max(began + number / 50 - time.perf_counter(), 0))
    return {"fed": len(pieces), "cpu": (time.process_time() - cpu) / 0.6}


async def full_speed(app: Any, _case: str) -> Figures:
    """All tokens at once: how long the loop is held, and when the last one is laid out."""
    worst, done = 0.0, False

    async def watch() -> None:
        nonlocal worst
        while not done:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            worst = max(worst, time.perf_counter() - began - 0.001)

    watcher = asyncio.create_task(watch())
    began = time.perf_counter()
    cpu = time.process_time()
    fed = 0
    for fed, piece in enumerate(tokens(prose(20_000)), 1):
        await app.append(piece)
        if fed % 20 == 0:
            await asyncio.sleep(0)
        if time.perf_counter() - began > CAP:
            break
    transcript = next(iter(app.query("Transcript")), None)
    if transcript is not None:
        await after(lambda: not transcript._document.busy and not transcript._changed)
    await frame(app)
    done = True
    await watcher
    return {
        "fed": fed,
        "cpu": (time.process_time() - cpu) * 1_000 / fed,
        "seconds": time.perf_counter() - began,
        "stall": worst,
    }


async def opening(app: Any, _case: str) -> Figures:
    """First paint, and pages up one after another."""
    await frame(app)
    painted = time.time() - float(sys.argv[5])
    cpu = time.process_time()
    transcript = app.query_one("Transcript")
    pages = []
    for _ in range(30):
        began = time.perf_counter()
        transcript.action_page_up()
        await frame(app)
        pages.append(time.perf_counter() - began)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "painted": painted,
        "cpu": cpu,
        "page": sorted(pages)[15],
        "slowest": max(pages),
        "rss": usage.ru_maxrss / 1024,
    }


def child(case: str, variant: str, told: int) -> None:
    """Run one case and report."""
    kind: Callable[[Any, str], Awaitable[Figures]] = stream
    messages = 0
    if case in TEXTS and variant == "Transcript":
        # So many that the window scrolls from the first token on.
        messages = 100
    elif case == "50 tokens a second":
        kind = paced
    elif case == "full speed":
        kind = full_speed
    elif case.startswith("open "):
        kind, messages = opening, int(case.removeprefix("open ").replace(",", ""))
    app = app_of(variant, messages)

    async def run(_pilot: Pilot[None]) -> None:
        gc.freeze()
        figures = await kind(app, case)
        with os.fdopen(told, "w") as file:
            json.dump(figures, file)
        app.exit()

    app.run(auto_pilot=run)


# What runs in the parent


def show(*cells: object) -> None:
    print(
        " | ".join(str(cell).ljust(24 if place == 0 else 14) for place, cell in enumerate(cells)), flush=True
    )


def compare(cases: list[str]) -> None:
    """Streams, by both widgets."""
    show(
        "case",
        "widget",
        "tokens",
        "CPU s/1k",
        "first 1k",
        "last 1k",
        "last/first",
        "bytes/token",
        "stall ms",
        "s",
    )
    for case in cases:
        for variant in ("Transcript", "Markdown"):
            process = Process(case, variant)
            found = process.measured
            if not found:
                show(case, variant, "did not end")
                continue
            fed = found["fed"]
            ratio = f"{found['last'] / found['first']:.2f}" if found.get("first") else ""
            show(
                case,
                variant,
                int(fed),
                f"{found['cpu']:.2f}",
                *(f"{found[key]:.2f}" if key in found else "" for key in ("first", "last")),
                ratio,
                round(process.bytes / fed),
                f"{found['stall'] * 1000:.0f}" if "stall" in found else "",
                f"{found['seconds']:.1f}" if "seconds" in found else "",
            )


def compare_opening(cases: list[str]) -> None:
    """Opening chats of different lengths; the median of five runs."""
    show("case", "first paint s", "CPU s", "PageUp ms", "slowest ms", "peak MB")
    for case in cases:
        runs = [Process(case, "Transcript").measured for _ in range(5)]
        middle = {key: sorted(run[key] for run in runs)[2] for key in runs[0]}
        show(
            case,
            f"{middle['painted']:.2f}",
            f"{middle['cpu']:.2f}",
            f"{middle['page'] * 1000:.0f}",
            f"{middle['slowest'] * 1000:.0f}",
            f"{middle['rss']:.0f}",
        )


def main() -> None:
    """Run the cases that are named, or all."""
    streams = ["50 tokens a second", "full speed", *TEXTS]
    openings = ["open 0", "open 100", "open 10,000"]
    wanted = sys.argv[1:] or [*streams, *openings]
    compare([case for case in streams if case in wanted])
    print()
    compare_opening([case for case in openings if case in wanted])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        main()

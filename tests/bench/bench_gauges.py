"""What the gauges cost an idle program, and how far their times are from the truth.

    python tests/bench/bench_gauges.py [--idle 20] [--replies 100] [--rate 50] [--tokens 40]

Idle: the program in a terminal, connected, a card in sight (NVIDIA's library stands in, see `nvml_stub`), and nothing
typed; CPU of the process, user and system, over so many seconds. Times: replies through `ChatSession`, timed as the
screen times them, against a server in a process of its own that notes when each token left, all by the clock of the
machine (CLOCK_MONOTONIC). The truth for the first token runs from the moment that the user sends. Exits with 1 where
one is more than a frame (1/30 s) off.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from nvml_stub import NvmlStub
from script import Reply
from scripted_server import ScriptedServer
from terminal import Terminal

from qwentui.backends.address import Endpoint
from qwentui.backends.ollama import OllamaBackend
from qwentui.chat.stream import TextDelta
from qwentui.launch import Launch
from qwentui.store.paths import Paths
from qwentui.store.settings import Settings
from qwentui.telemetry.live_times import LiveTimes

FRAME = 1 / 30
QWENTUI = [sys.executable, "-m", "qwentui"]


def serve(options: argparse.Namespace) -> None:
    """Serve until standard input ends, then print when each token of each reply left."""
    words = tuple(f"word{n} " for n in range(options.tokens))
    with ScriptedServer(Reply(content=words, interval=1 / options.rate)).in_thread() as server:
        print(server.url, flush=True)
        sys.stdin.read()
        print(json.dumps([request.sent_at for request in server.requests if request.path == "/api/chat"]))


def _cpu(pid: int) -> float:
    """Seconds of CPU that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def idle(seconds: float) -> None:
    """Print what an idle program takes of a core, and the bytes that it writes."""
    scripted = ScriptedServer()
    scripted.loaded["qwen3:latest"] = 8192
    with tempfile.TemporaryDirectory() as folder, scripted.in_thread() as server:
        environment = {"OLLAMA_HOST": server.url, **NvmlStub(Path(folder)).environ}
        with Terminal(QWENTUI, env=environment) as terminal:
            terminal.wait_for("1.0/22.5G")
            terminal.wait_for("unload 5 min")
            _pump(terminal, 3.0)  # what a start leaves to be done
            before, written = _cpu(terminal.process.pid), len(terminal.raw)
            _pump(terminal, seconds)
            share = (_cpu(terminal.process.pid) - before) / seconds
            print(
                f"idle for {seconds:.0f} s: {share:.2%} of a core, {len(terminal.raw) - written} bytes written"
            )


def _pump(terminal: Terminal, seconds: float) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        terminal.pump(left)


async def talk(url: str, replies: int) -> list[tuple[float, float, float]]:
    """For each reply: when it was asked for, its TTFT, and the tokens a second at its last token."""
    backend = OllamaBackend(Endpoint(url))
    told = []
    with tempfile.TemporaryDirectory() as home:
        launch = Launch(
            Paths(*(Path(home) / name for name in ("config", "data", "cache", "state"))), Settings()
        )
        session = launch.session(backend, await backend.details("qwen3:latest"))
        try:
            for _ in range(replies):
                fresh = session.fresh()
                times, asked, rate = LiveTimes(), time.monotonic(), 0.0
                async with fresh.reply("How fast?") as events:
                    async for event in events:
                        if isinstance(event, TextDelta):
                            times.heard()
                            rate = times.per_second or 0.0
                reply = fresh.conversation.turns[-1].reply
                assert reply is not None
                assert reply.usage.ttft is not None
                told.append((asked, reply.usage.ttft, rate))
        finally:
            await backend.aclose()
    return told


def _true_rate(stamps: list[float]) -> float:
    """The tokens a second over the last second, by the server."""
    late = [stamp for stamp in stamps if stamp >= stamps[-1] - 1.0]
    return (len(late) - 1) / (late[-1] - late[0])


def line(name: str, values: list[float], unit: str) -> str:
    """One figure over all replies."""
    ordered = sorted(values)
    p95 = ordered[-(-95 * len(ordered) // 100) - 1]
    middle = ordered[len(ordered) // 2]
    return (
        f"{name:32}{statistics.fmean(values):9.2f}{middle:9.2f}{p95:9.2f}{max(values, key=abs):9.2f}  {unit}"
    )


def agreement(options: argparse.Namespace) -> bool:
    """Print how far the times are from the truth; whether all are within a frame."""
    child = subprocess.Popen(
        [sys.executable, __file__, *sys.argv[1:], "--serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    told = asyncio.run(talk(child.stdout.readline().strip(), options.replies))
    stamps = json.loads(child.communicate()[0])
    errors = [ttft - (sent[0] - asked) for (asked, ttft, _), sent in zip(told, stamps, strict=True)]
    rates = [rate / _true_rate(sent) - 1 for (_, _, rate), sent in zip(told, stamps, strict=True)]
    print(f"{len(told)} replies{'':21}{'mean':>9}{'P50':>9}{'P95':>9}{'most':>9}")
    print(line("TTFT", [ttft * 1000 for _, ttft, _ in told], "ms"))
    print(line("its error", [error * 1000 for error in errors], "ms"))
    print(line("tokens/s at the last token", [rate for *_, rate in told], ""))
    print(line("its error", [error * 100 for error in rates], "%"))
    return all(abs(error) <= FRAME for error in errors)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--idle", type=float, default=20.0, help="seconds; 0 for none")
    parser.add_argument("--replies", type=int, default=100)
    parser.add_argument("--rate", type=float, default=50.0, help="tokens a second")
    parser.add_argument("--tokens", type=int, default=40)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options)
        return
    if options.idle:
        idle(options.idle)
    sys.exit(int(not agreement(options)))


if __name__ == "__main__":
    main()

"""How far `qwentui bench`'s figures are from the truth, on a server that knows when it sent each token.

    python tests/bench/bench_agreement.py [--runs 100] [--rate 50] [--tokens 40] [--wait 0.2]

The scripted server runs in a process of its own, notes for every request when it came and when each token left,
all by the clock of the machine (CLOCK_MONOTONIC), and waits so many seconds before the first token. The truth for the
first token is that moment less the arrival of the request; for the rate, the tokens after the first one in the time
from the first to the last. The bench measures the same from its side of the connection. Exits with 1 where a first
token is more than a frame of the screen (1/30 s) from the truth, or a reply's length in time is.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from script import Reply
from scripted_server import Request, ScriptedServer

from qwentui.backends.address import Endpoint
from qwentui.backends.ollama import OllamaBackend
from qwentui.bench.measure import Measurement
from qwentui.bench.plan import Plan
from qwentui.bench.run import Run, Step

FRAME = 1 / 30


class SlowServer(ScriptedServer):
    """A scripted server that takes its time before each reply, as one that evaluates a prompt."""

    def __init__(self, reply: Reply, wait: float) -> None:
        super().__init__(reply)
        self._wait = wait

    async def _stream(self, reply: Reply, request: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(self._wait)
        await super()._stream(reply, request, writer)


def serve(options: argparse.Namespace) -> None:
    """Serve until standard input ends, then print when each request came and each of its tokens left."""
    words = tuple(f"word{n} " for n in range(options.tokens))
    with SlowServer(Reply(content=words, interval=1 / options.rate), options.wait).in_thread() as server:
        print(server.url, flush=True)
        sys.stdin.read()
        chats = [request for request in server.requests if request.path == "/api/chat"]
        print(json.dumps([[request.received_at, *request.sent_at] for request in chats]))


async def measure(url: str, runs: int) -> list[Run]:
    """The plain runs of a bench, as the program measures them."""
    backend = OllamaBackend(Endpoint(url))
    plan = Plan(model="qwen3:latest", runs=runs, contexts=(), parallel=(), cold=False)
    try:
        return [run async for run in Measurement(backend, plan).runs() if run.step is Step.WARM]
    finally:
        await backend.aclose()


def line(name: str, values: list[float], unit: str) -> str:
    """The errors of one figure."""
    ordered = sorted(values)
    return (
        f"{name:34}{statistics.fmean(values):9.3f}{ordered[len(ordered) // 2]:9.3f}"
        f"{ordered[-(-95 * len(ordered) // 100) - 1]:9.3f}{max(values, key=abs):9.3f}  {unit}"
    )


def main() -> None:
    """Measure, and print the table of errors."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--rate", type=float, default=50.0, help="tokens a second")
    parser.add_argument("--tokens", type=int, default=40)
    parser.add_argument("--wait", type=float, default=0.2, help="seconds before the first token")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options)
        return
    child = subprocess.Popen(
        [sys.executable, __file__, *sys.argv[1:], "--serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    runs = asyncio.run(measure(child.stdout.readline().strip(), options.runs))
    stamps = json.loads(child.communicate()[0])[1:]  # the first request warms the server up
    truths = [(first - came, (count := len(rest)) / (rest[-1] - first)) for came, first, *rest in stamps]
    assert count == options.tokens - 1
    ttfts = [run.ttft - ttft for run, (ttft, _) in zip(runs, truths, strict=True)]
    rates = [run.received_rate / rate - 1 for run, (_, rate) in zip(runs, truths, strict=True)]
    spans = [
        (run.elapsed - run.ttft) - (options.tokens - 1) / rate
        for run, (_, rate) in zip(runs, truths, strict=True)
    ]
    print(f"{len(runs)} runs{'':26}{'mean':>9}{'P50':>9}{'P95':>9}{'most':>9}")
    print(line("true first token", [ttft * 1000 for ttft, _ in truths], "ms"))
    print(line("error of the first token", [error * 1000 for error in ttfts], "ms"))
    print(line("true tokens/s", [rate for _, rate in truths], ""))
    print(line("error of tokens/s", [error * 100 for error in rates], "%"))
    print(line("error of first token to the end", [error * 1000 for error in spans], "ms"))
    sys.exit(int(any(abs(error) > FRAME for error in (*ttfts, *spans))))


if __name__ == "__main__":
    main()

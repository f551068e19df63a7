"""How long a pasted text takes until its end is on the screen, and a key typed into it after that.

    python tests/bench/bench_paste.py [--bytes 100000] [--runs 5]

The program runs in a terminal of 120x36 and is connected to a server that serves no vocabulary. The text is Chinese,
once in one line without an end and once in lines of 60 characters; it comes as a bracketed paste, as terminals send
it. Times are by the clock of the terminal's side: median and worst of the runs.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripted_server import ScriptedServer
from terminal import Terminal

QWENTUI = [sys.executable, "-m", "qwentui"]
SENTENCE = "同城一般一天内送达,跨省一般二到四天,以物流页为准。预售商品以商品页的发货时间为准。"
PASTE, END = "\x1b[200~", "\x1b[201~"


def text_of(size: int, line: int | None) -> str:
    """Chinese of `size` bytes, in lines of `line` characters; None for one."""
    text = (SENTENCE * (size // 3 // len(SENTENCE) + 1))[: size // 3]
    return text if line is None else "\n".join(text[at : at + line] for at in range(0, len(text), line))


def paste(text: str, url: str) -> tuple[float, float]:
    """Seconds until the end of `text` is shown after it was pasted, and of a key typed behind it."""
    with Terminal(QWENTUI, env={"OLLAMA_HOST": url}) as terminal:
        terminal.wait_for("qwen3 @ 127")
        begun = time.perf_counter()
        terminal.send(f"{PASTE}{text}末{END}")
        terminal.wait_for("末")
        pasted = time.perf_counter() - begun
        begun = time.perf_counter()
        terminal.send("尾")
        terminal.wait_for("尾")
        return pasted, time.perf_counter() - begun


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bytes", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with ScriptedServer().in_thread() as server:
        for name, line in (("one line", None), ("lines of 60", 60)):
            times = [paste(text_of(options.bytes, line), server.url) for _ in range(options.runs)]
            for what, seconds in zip(("paste", "key after"), zip(*times, strict=True), strict=True):
                median, worst = statistics.median(seconds), max(seconds)
                print(f"{name:<12} {what:<10} median {median * 1e3:6.0f} ms   worst {worst * 1e3:6.0f} ms")


if __name__ == "__main__":
    main()

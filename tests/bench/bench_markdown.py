"""CPU per token of the Markdown layout, first 1,000 tokens against last 1,000 of 20,000, for each shape.

    python tests/bench/bench_markdown.py [--tokens 20000] [--width 100] [--repeat 3] [--shape NAME ...]

Two tokens are fed and rendered per frame, as 50 tokens a second at 25 frames a second would be. The figure is
the process's own CPU time. Every frame counts with its cheapest of three runs, which takes out what other
programs on the machine cost; ``worst`` is the dearest frame.
"""

from __future__ import annotations

import argparse
import re
import time
from itertools import chain, count, islice
from typing import TYPE_CHECKING

from qwentui.tui.transcript.markdown import MarkdownFlow, warm
from qwentui.tui.transcript.palette import Palette

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PER_FRAME = 2
_WINDOW = 1000

_ENGLISH = (
    "The order ships within **one day** if the item is in `stock`. Orders that leave the warehouse after noon "
    "arrive on the [next page](https://example.com/track/1) of the *carrier*, usually in 2-4 days. "
)
_CHINESE = "订单在**一天**内发货，如果商品有`库存`。下午之后出库的订单，请以“物流页”为准——通常需要 2-4 天（偏远地区除外）。"
_CODE = (
    'def total(orders: list[Order], *, tax: float = 0.19) -> float:\n    """Sums what is not cancelled."""\n'
    "    return sum(order.price * (1 + tax) for order in orders if not order.cancelled)  # gross\n\n"
)
_TOKEN = re.compile(r"\n+|[ ]?[A-Za-z0-9_]{1,6}|[\u4e00-\u9fff]{1,2}|[ ]*[^\w\s]{1,3}|\s")


def _repeated(piece: Callable[[int], str]) -> Iterator[str]:
    return (piece(index) for index in count())


def _prose(index: int) -> str:
    return f"## Part {index}\n\n" * (index % 5 == 0) + _ENGLISH * (1 + index % 3) + "\n\n"


def _zh(index: int) -> str:
    return _CHINESE * (1 + index % 4) + "\n\n"


def _row(index: int) -> str:
    return f"| {index} | item *{index}* | {_ENGLISH[: 20 + index % 17]} | 库存 {index % 7} |\n"


def _nested(index: int) -> str:
    indent = "  " * (index % 4)
    return f"{indent}- item {index} with `code` and {_ENGLISH[:40]}\n"


_SHAPES: dict[str, Callable[[], Iterator[str]]] = {
    "prose, English": lambda: _repeated(_prose),
    "prose, Chinese": lambda: _repeated(_zh),
    "endless paragraph": lambda: _repeated(lambda _: _ENGLISH),
    "endless paragraph, Chinese": lambda: _repeated(lambda _: _CHINESE),
    "endless paragraph, open mark": lambda: chain(
        ["**an open [mark "], _repeated(lambda _: "goes on and on ")
    ),
    "endless word": lambda: _repeated(lambda _: "abcdef"),
    "fence, Python": lambda: chain(["```python\n"], _repeated(lambda _: _CODE)),
    "fence, unknown": lambda: chain(["```\n"], _repeated(lambda _: _CODE)),
    "fence, one line": lambda: chain(["```json\n"], _repeated(lambda index: f'{{"key{index}": {index}}}, ')),
    "table": lambda: chain(["| a | b | c | d |\n|--:|---|---|:-:|\n"], _repeated(_row)),
    "list": lambda: _repeated(lambda index: f"{index + 1}. {_ENGLISH[: 30 + index % 60]}\n"),
    "list, nested": lambda: _repeated(_nested),
    "fence in a list item": lambda: chain(
        ["- item\n  ```python\n"], _repeated(lambda _: "".join(f"  {line}\n" for line in _CODE.splitlines()))
    ),
    "item of paragraphs": lambda: chain(["- item\n\n"], _repeated(lambda _: f"  {_ENGLISH}\n\n")),
    "quote": lambda: _repeated(lambda _: f"> {_ENGLISH}\n>\n"),
}


def _tokens(pieces: Iterator[str], number: int) -> list[str]:
    tokens = chain.from_iterable(_TOKEN.findall(piece) for piece in pieces)
    return list(islice(tokens, number))


def _run(tokens: list[str], width: int) -> tuple[list[float], int]:
    """CPU seconds of every frame, and how many rows came out."""
    flow = MarkdownFlow(width, Palette.from_colors())
    spent: list[float] = []
    for index in range(0, len(tokens), _PER_FRAME):
        start = time.process_time()
        for token in tokens[index : index + _PER_FRAME]:
            flow.feed(token)
        flow.render()
        spent.append(time.process_time() - start)
    flow.close()
    return spent, len(flow.rows)


def _measure(tokens: list[str], width: int, repeat: int) -> tuple[float, float, float, int]:
    """CPU in microseconds per token of the first and last window, the worst frame in ms, and the rows."""
    runs = [_run(tokens, width) for _ in range(repeat)]
    spent = [min(frame) for frame in zip(*(run[0] for run in runs), strict=True)]
    frames = _WINDOW // _PER_FRAME
    first, last = (sum(part) / _WINDOW * 1e6 for part in (spent[:frames], spent[-frames:]))
    return first, last, max(spent) * 1e3, runs[0][1]


def main() -> None:
    """Prints one line for each shape."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--tokens", type=int, default=20_000)
    parser.add_argument("--width", type=int, default=100)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--shape", action="append", choices=sorted(_SHAPES))
    options = parser.parse_args()
    warm("python")
    warm("json")
    print(
        f"{'shape':30} {'first µs/token':>15} {'last µs/token':>14} {'last/first':>10} {'worst ms':>9} {'rows':>7}"
    )
    for name in options.shape or _SHAPES:
        first, last, worst, rows = _measure(
            _tokens(_SHAPES[name](), options.tokens), options.width, options.repeat
        )
        print(f"{name:30} {first:15.1f} {last:14.1f} {last / first:10.2f} {worst:9.2f} {rows:7}")


if __name__ == "__main__":
    main()

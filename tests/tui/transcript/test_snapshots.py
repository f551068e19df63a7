"""Pictures of each kind of block in each theme, compared byte for byte with those in `snapshots/`.

A picture that changed is looked at, and accepted with

    ACCEPT_SNAPSHOTS=1 python -m pytest tests/tui/transcript/test_snapshots.py
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
from svg import picture
from textual.app import App
from tui.transcript.shown import until

from qwentui.store.paths import shipped
from qwentui.store.themes import load_theme
from qwentui.tui import app as program
from qwentui.tui.theme import palette_colors, textual_theme
from qwentui.tui.transcript.items import MarkItem, NoticeItem, ReplyItem, UserItem
from qwentui.tui.transcript.palette import Palette
from qwentui.tui.transcript.view import Transcript

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.pilot import Pilot

    from qwentui.tui.transcript.items import Item

SNAPSHOTS = Path(__file__).parent / "snapshots"
ACCEPT = "ACCEPT_SNAPSHOTS"
THEMES = ("qwentui-dark", "qwentui-light", "terminal-16")

MARKDOWN = (
    r"""# Heading 1 with `code`
## Heading 2
### Heading 3
#### Heading 4
##### Heading 5
###### Heading 6

Prose with *emphasis*, **strong**, ***both***, ~~strike~~ and `inline code`, a [link](https://example.com/a?b=c),
<https://example.com>, an ![image](cat.png), a hard\
break, an entity &copy;, raw <b>HTML</b>, and \*escapes\*.

- one
  - nested, with a second line that is long enough to wrap under the first word of its item and not under its mark
    - deeper
- [x] a task that is done
- [ ] a task that is open

3. three
4. four
   1. nested

> A quote
> > within a quote, with **strong** words
>
> - and a list

| left | centre | right |
|:-----|:------:|------:|
| `a`  | *b*    |  1.25 |
| 库存 | 👍🏽    |   300 |

---

中文：订单在**一天**内发货，“物流页”为准。 Emoji: 👩‍💻 🇩🇪 ❤️ 1️⃣. Combining: e\u0301 n\u0303 a\u0308\u0323 क्षि.

Unbreakable: abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz
""".replace(r"\u0301", "\u0301")
    .replace(r"\u0303", "\u0303")
    .replace(r"\u0308\u0323", "\u0308\u0323")
)

CODE = """A fence, an indented block, and a patch:

```python
@cache
class Order(Base):  # a comment
    def total(self, tax: float = 0.19) -> str:
        return f"{sum(self.prices) * (1 + tax):.2f}" if self.prices else None
```

    indented code, as it is

```diff
- removed
+ added
```
"""

LONG = "```text\n" + "".join(f"row {number}\n" for number in range(1, 45)) + "```\n"

PICTURES: dict[str, Sequence[Item]] = {
    "markdown": [ReplyItem(MARKDOWN)],
    "talk": [
        UserItem("A question that is above the border, and not sent any more."),
        ReplyItem("An answer that is **not** sent any more.", footer="3 tok · stop", model="qwen3"),
        UserItem("订单发货后多久能收到？\nTwo lines."),
        ReplyItem("Folded thinking.", "never seen", 3.25, 120, "12 tok · ttft 0.21 s · stop", "qwen3"),
        ReplyItem(
            "Unfolded thinking.", "First *this*,\n\n- then `that`", 61.0, None, "stopped by you", "qwen3"
        ),
        ReplyItem(CODE, footer="96 tok · ttft 0.25 s · 31.4 tok/s · stop", model="qwen3"),
        ReplyItem(LONG),
        ReplyItem("Unsafe: &#27;[31m &#x202e;", footer="4 tok · broken off", model="qwen3"),
        NoticeItem("News of the talk, found by searching for news."),
        NoticeItem("Something that matters.", "warning"),
        NoticeItem("Something that failed: the server closed the connection.", "error"),
        MarkItem("From here on: qwen3:32b"),
    ],
}


class Gallery(App[None]):
    """A transcript alone, with the program's styles."""

    CSS_PATH: ClassVar[Path] = Path(program.__file__).with_name("qwentui.tcss")

    def __init__(self, theme: str, items: Sequence[Item]) -> None:
        super().__init__()
        file = load_theme(theme, [shipped("themes")])
        self.register_theme(textual_theme(file))
        self.theme = theme
        self.transcript = Transcript(Palette.from_colors(**palette_colors(file)))
        self.transcript.load(items)

    def compose(self) -> ComposeResult:
        yield self.transcript


async def _talk(gallery: Gallery, pilot: Pilot[None]) -> None:
    """Bring the talk into the states that only a reader brings about."""
    transcript = gallery.transcript
    transcript.set_sent_border(2, "not sent any more")
    for index, block in ((4, None), (6, 0)):
        transcript._fold(index, block)
    transcript.search("news")
    await until(pilot, lambda: transcript._search is not None and transcript._search.complete)


def _difference(name: str, expected: str, drawn: str, new: Path) -> str:
    lines = difflib.unified_diff(expected.splitlines(), drawn.splitlines(), n=0, lineterm="")
    first = next((line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")), "")
    return (
        f"{name} looks different, first at {first[:300]!r}; the new picture is {new}: look at it, and accept it"
        f" with {ACCEPT}=1 python -m pytest tests/tui/transcript/test_snapshots.py"
    )


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", PICTURES)
async def test_each_kind_of_block_looks_as_it_did(name: str, theme: str, tmp_path: Path) -> None:
    gallery = Gallery(theme, PICTURES[name])
    async with gallery.run_test(size=(100, 60)) as pilot:
        if name == "talk":
            await _talk(gallery, pilot)
        transcript = gallery.transcript
        await until(
            pilot, lambda: not (transcript._document.busy or transcript._loading or transcript._changed)
        )
        await pilot.pause()
        drawn = picture(gallery, f"{name}, {theme}")
    stored = SNAPSHOTS / f"{name}-{theme}.svg"
    if os.environ.get(ACCEPT):
        stored.parent.mkdir(exist_ok=True)
        stored.write_text(drawn, encoding="utf-8")
    expected = stored.read_text(encoding="utf-8") if stored.exists() else ""
    if drawn != expected:
        (tmp_path / stored.name).write_text(drawn, encoding="utf-8")
        pytest.fail(_difference(stored.name, expected, drawn, tmp_path / stored.name), pytrace=False)

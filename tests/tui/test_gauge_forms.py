"""The gauges as text, in every state and at every width."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from qwentui.chat.context import ContextWindow
from qwentui.telemetry.memory import Memory
from qwentui.tui.widgets.gauge_forms import Readings, fitted

GIB = 1 << 30
CARD = Memory("card", round(20.9 * GIB), round(22.2 * GIB))
WINDOW = ContextWindow(used=3412, exact=True, limit=7500, num_ctx=8192)
ALL = Readings(CARD, ttft=1.62, usual_ttft=1.7, speed=52.1, unload=240.0)

WIDE = (
    " VRAM ▕███████████████▏▏20.9/22.2G   TTFT 1.62s ~1.70   52 tok/s   CTX =3,412 ▕██████▋       ┆ ▏7.5k/8.2k"
    "   unload 4 min"
)

STATES: dict[str, tuple[Readings, ContextWindow | None]] = {
    "all": (ALL, WINDOW),
    "waiting": (replace(ALL, ttft=0.84, is_waiting=True, speed=None, is_in_use=True), WINDOW),
    "streaming": (replace(ALL, is_live=True, is_in_use=True), WINDOW),
    "spill": (replace(ALL, memory=replace(CARD, spilled=0.12)), WINDOW),
    "lost": (replace(ALL, memory=replace(CARD, word="! lost", is_broken=True)), WINDOW),
    "no GPU": (replace(ALL, memory=Memory("card", word="no GPU")), WINDOW),
    "red": (ALL, replace(WINDOW, loaded=4096)),
    "unloaded": (replace(ALL, memory=Memory("model", word="not loaded"), unload=None), WINDOW),
    "elsewhere": (replace(ALL, memory=Memory("model", round(20.4 * GIB))), WINDOW),
    "two cards": (replace(ALL, memory=replace(CARD, cards=2, is_mig=True)), WINDOW),
}


def _text(state: str, width: int) -> str:
    return "".join(text for text, _ in fitted(*STATES[state], width))


@pytest.mark.parametrize(
    ("state", "width", "expected"),
    [
        (
            "all",
            120,
            WIDE,
        ),
        ("all", 80, " VRAM 20.9/22.2  TTFT 1.62 ~1.70  52 t/s  CTX =3,412/7.5k  unload 4m"),
        ("all", 200, WIDE),
        ("all", 60, " VRAM 20.9/22.2  TTFT 1.62 ~1.70  52 t/s  CTX =3,412/7.5k"),
        ("all", 50, " VRAM 20.9/22.2  TTFT 1.62 ~1.70  CTX =3,412/7.5k"),
        ("all", 40, " 20.9/22.2  1.62  =3,412/7.5k"),
        ("waiting", 80, " VRAM 20.9/22.2G   TTFT 0.8s… ~1.70   CTX =3,412/7.5k/8.2k   in use"),
        ("streaming", 80, " VRAM 20.9/22.2G   TTFT 1.62s ~1.70   ~52 tok/s   CTX =3,412/7.5k/8.2k   in use"),
        ("spill", 80, " VRAM 20.9/22.2 ! 12% on CPU  TTFT 1.62 ~1.70  52 t/s  CTX =3,412/7.5k"),
        ("spill", 60, " VRAM 20.9/22.2 ! 12% on CPU  TTFT 1.62  CTX =3,412/7.5k"),
        ("lost", 60, " VRAM ! lost  TTFT 1.62 ~1.70  52 t/s  CTX =3,412/7.5k"),
        ("no GPU", 60, " VRAM no GPU  TTFT 1.62 ~1.70  52 t/s  CTX =3,412/7.5k"),
        ("red", 60, " VRAM 20.9/22.2  TTFT 1.62  CTX =3,412/7.5k ! 4.1k loaded"),
        ("red", 80, " VRAM 20.9/22.2  TTFT 1.62 ~1.70  52 t/s  CTX =3,412/7.5k ! 4.1k loaded"),
        ("unloaded", 60, " VRAM not loaded  TTFT 1.62 ~1.70  52 t/s  CTX =3,412/7.5k"),
        ("elsewhere", 60, " VRAM model 20.4  TTFT 1.62 ~1.70  52 t/s  CTX =3,412/7.5k"),
        ("two cards", 60, " VRAM 20.9/22.2 2 cards MIG  TTFT 1.62  CTX =3,412/7.5k"),
    ],
)
def test_a_line_gives_way_to_what_matters_most(state: str, width: int, expected: str) -> None:
    assert _text(state, width) == expected


@given(st.sampled_from(sorted(STATES)), st.integers(45, 220))
def test_every_state_fits_and_keeps_memory_wait_and_context(state: str, width: int) -> None:
    line = _text(state, width)
    assert cell_len(line) <= width
    assert "=3,412" in line
    assert "1.62" in line or "0.8" in line
    assert line.lstrip().startswith(("VRAM", "2", "!", "no"))


@given(st.sampled_from(sorted(STATES)), st.integers(30, 220))
def test_a_wider_line_never_says_less(state: str, width: int) -> None:
    assert cell_len(_text(state, width)) <= cell_len(_text(state, width + 1))


@pytest.mark.parametrize(
    ("unload", "expected"),
    [(299.9, "unload 5 min"), (61.0, "unload 1 min"), (60.0, "unload 60 s"), (4.2, "unload 4 s")],
)
def test_the_time_to_live_is_in_minutes_and_then_in_seconds(unload: float, expected: str) -> None:
    line = "".join(text for text, _ in fitted(Readings(unload=unload), None, 80))
    assert line == f" {expected}"


def test_a_model_that_is_kept_says_so_and_one_that_is_due_says_nothing() -> None:
    assert fitted(Readings(unload=9e9), None, 80)[-1] == ("kept", "dim")
    assert fitted(Readings(unload=-3.0), None, 80) == ()


def test_what_is_wrong_is_drawn_as_wrong() -> None:
    styles = dict(fitted(*STATES["spill"], 120)) | dict(fitted(*STATES["lost"], 120))
    assert styles[" ! 12% on CPU"] == "error"
    assert styles["! lost"] == "error"
    assert dict(fitted(*STATES["red"], 120))["=3,412"] == "error"


def test_nothing_known_is_nothing_said() -> None:
    assert fitted(Readings(), None, 80) == ()

"""How commands are completed while they are typed, and that no text with a slash is ever lost.

A picture of the popup that changed is looked at, and accepted with

    ACCEPT_SNAPSHOTS=1 python -m pytest tests/tui/test_command_completion.py
"""

from __future__ import annotations

import asyncio
import string
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from script import Model, Reply
from scripted_server import ScriptedServer
from snapshot import assert_looks_as
from svg import picture
from textual.app import App
from textual.containers import Horizontal
from textual.widgets import Static
from walk import walking

from qwentui.chat.errors import CommandRefused, ConnectFailed
from qwentui.store.paths import shipped
from qwentui.store.themes import load_theme
from qwentui.tui import app as program
from qwentui.tui.commands.options import OPTIONS, Option, shown, value
from qwentui.tui.commands.table import COMMANDS
from qwentui.tui.commands.typed import action, read
from qwentui.tui.screens.command_completion import CommandCompletion
from qwentui.tui.theme import palette_colors, textual_theme
from qwentui.tui.transcript.items import UserItem
from qwentui.tui.transcript.palette import Palette
from qwentui.tui.transcript.view import Transcript
from qwentui.tui.widgets.completion import Candidate
from qwentui.tui.widgets.composer import Composer
from qwentui.tui.widgets.late_candidates import LateCandidates

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from textual.app import ComposeResult
    from walk import Walk

SNAPSHOTS = Path(__file__).parent / "snapshots"
MODELS = (Candidate("qwen3:32b", "32.8B  Q4_K_M"), Candidate("qwen3:8b", "8.2B  Q4_K_M"))


def offered(text: str, column: int | None = None) -> list[str] | None:
    """What a completion offers for a line, by default at its end."""
    completion = CommandCompletion({"model": lambda: MODELS}, lambda: True)
    offer = completion.candidates([text], (0, len(text) if column is None else column))
    return None if offer is None else [candidate.text for candidate in offer.candidates]


def test_names_are_offered_by_their_beginning_then_by_their_letters() -> None:
    assert len(offered("/") or ()) == len(COMMANDS)
    assert offered("/set") == ["/set ", "/settings"]
    assert offered("/se") == ["/sessions ", "/set ", "/search ", "/settings"]
    assert offered("/ctx") == ["/context"]
    assert offered("/quit") == ["/quit"]
    assert offered("/model", 3) == ["/model "]
    assert offered("/nothing-like-it") is None


def test_arguments_are_offered_where_they_stand() -> None:
    assert offered("/model ") == ["qwen3:32b", "qwen3:8b"]
    assert offered("/model  8") == ["qwen3:8b"]
    assert offered("/model 8", 3) == ["/model "]
    assert offered("/think o") == ["on", "off"]
    assert offered("/trim d") == ["default"]
    assert offered("/set top") == ["top_k ", "top_p "]
    assert offered("/set top_p ") == ["0.8", "0.95"]
    assert offered("/set top_p  ") == ["0.8", "0.95"]
    assert offered("/set top_p 0.9") is None
    assert offered("/set top_p 0.9", 7) == ["top_p "]
    assert offered("/unset top_p") == ["top_p"]
    assert offered("/unset top_p ") is None
    assert offered("/persona ") is None
    assert offered("/new ") is None
    assert offered("/nothing ") is None


def test_no_other_text_is_looked_into() -> None:
    completion = CommandCompletion({}, lambda: True)
    assert completion.candidates(["/ne", ""], (0, 3)) is None
    assert completion.candidates(["and/or"], (0, 6)) is None
    assert completion.candidates(["/new"], (0, 0)) is None
    assert completion.candidates([" /new"], (0, 5)) is None
    assert CommandCompletion({}, lambda: False).candidates(["/new"], (0, 4)) is None


async def test_late_candidates_are_fetched_once_and_again_when_they_are_old() -> None:
    now, came, tasks = 0.0, [], []
    names = ["a"]

    async def fetch() -> list[Candidate]:
        if not names:
            raise ConnectFailed("Nobody answers.")
        return [Candidate(name) for name in names]

    def run(work: Coroutine[None, None, None]) -> None:
        tasks.append(asyncio.create_task(work))

    late = LateCandidates(fetch, run, lambda: came.append(True), lambda: now)
    assert (late(), late()) == ((), ())
    await asyncio.gather(*tasks)
    assert (late(), len(tasks), len(came)) == ((Candidate("a"),), 1, 1)
    now += 60
    assert late() == (Candidate("a"),)
    await asyncio.gather(*tasks)
    assert (len(tasks), len(came)) == (2, 1)
    now += 60
    names.append("b")
    late()
    await asyncio.gather(*tasks)
    assert (len(late()), len(came)) == (2, 2)
    now += 60
    names.clear()
    late()
    await asyncio.gather(*tasks)
    assert (len(late()), len(came)) == (2, 2)


async def test_a_command_is_completed_and_run_without_its_name_being_typed(tmp_path: Path) -> None:
    models = (Model(name="qwen3:8b"), Model(name="qwen3:32b"))
    folder = tmp_path / "config" / "personas"
    folder.mkdir(parents=True)
    (folder / "poet.toml").write_text('system = "Rhyme."\n')
    async with (
        ScriptedServer(Reply(content=("ok",)), models=models) as server,
        walking(tmp_path, server.url, name="qwen3:8b") as walk,
    ):
        await walk.connected()
        composer = walk.app.chat.composer
        await walk.pilot.press("slash", "m", "enter")
        assert composer.text == "/model "
        await walk.until(lambda: len(composer.popup.offer.candidates if composer.popup.offer else ()) == 2)
        await walk.pilot.press("down", "down", "tab", "enter")
        await walk.until(lambda: walk.app.chat.session.model.name == "qwen3:32b")
        await walk.pilot.press("slash", "p", "tab")
        await walk.until(lambda: composer.popup.offer is not None)
        await walk.pilot.press("p", "enter", "enter")
        await walk.until(lambda: walk.app.chat.session.options.persona == "poet")
        await walk.pilot.press("slash", "n", "e", "w")
        assert composer.popup.display
        await walk.pilot.press("escape")
        assert (composer.popup.display, composer.text) == (False, "/new")
        await walk.pilot.press("enter")
        assert composer.text == ""


# Never lost

WORDS = st.sampled_from([command.name for command in COMMANDS if command.name not in {"quit", "editor"}])
SLASHED = st.one_of(
    st.builds("/{}".format, WORDS),
    st.builds("/{} {}".format, WORDS, st.text(max_size=20)),
    st.builds("/set {} {}".format, st.sampled_from([known.key for known in OPTIONS]), st.text(max_size=8)),
    st.builds("/{}".format, st.text(max_size=20)),
    st.builds("/{}\n{}".format, WORDS, st.text(max_size=10)),
)


def outcome(job: Callable[[], object]) -> object:
    """What a job gives, or why it is refused."""
    try:
        return job()
    except CommandRefused as error:
        return error


@given(SLASHED)
def test_a_text_with_a_slash_is_obeyed_refused_or_sent(text: str) -> None:
    typed = read(text)
    if typed is None:
        return
    done = outcome(lambda: action(typed))
    command = typed.command
    if isinstance(done, CommandRefused):
        assert done.message
        assert command is None or not (command.given if typed.argument else command.action)
    else:
        assert command is not None
        assert done


@given(st.sampled_from(OPTIONS), st.text(string.printable + "订单", max_size=12))
def test_a_value_is_read_or_refused_and_is_shown_as_it_may_be_typed(known: Option, text: str) -> None:
    stated = outcome(lambda: value(known, text))
    if isinstance(stated, CommandRefused):
        assert stated.message.startswith(f"{known.key} cannot be ")
        assert stated.hint.startswith("It is ")
    else:
        assert value(known, shown(stated)) == stated


@settings(max_examples=4, deadline=None)
@given(texts=st.lists(SLASHED, min_size=12, max_size=12))
async def test_in_the_program_no_text_with_a_slash_is_lost(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("walk")
    async with ScriptedServer(Reply(content=("ok",))) as server, walking(folder, server.url) as walk:
        await walk.connected()
        for written in texts:
            walk.app.chat.composer.text = written
            text = walk.app.chat.composer.text
            said = len(walk.notices)
            chat = walk.app.chat.live
            await walk.pilot.press("enter")
            await _back(walk)
            kept = walk.app.chat.composer.text == text
            sent = UserItem(text) in walk.items or any(one.text == text for one in walk.app.desk.waiting)
            typed = read(text)
            known = typed is not None and typed.command is not None
            if kept:
                assert len(walk.notices) > said or not text.strip()
            else:
                assert sent or known, text
            walk.app.chat.composer.text = ""
            await walk.until(lambda chat=chat: not chat.busy)


async def _back(walk: Walk) -> None:
    """Close what a command has opened."""
    await walk.pilot.pause()
    while walk.app.screen is not walk.app.chat:
        await walk.pilot.press("escape")
        await walk.pilot.pause()
    walk.app.chat.composer.focus()


# The look


class Gallery(App[None]):
    """The transcript, the popup and the composer, with the program's styles."""

    CSS_PATH: ClassVar[Path] = Path(program.__file__).with_name("qwentui.tcss")

    def __init__(self) -> None:
        super().__init__()
        file = load_theme("qwentui-dark", [shipped("themes")])
        self.register_theme(textual_theme(file))
        self.theme = file.name
        self.transcript = Transcript(Palette.from_colors(**palette_colors(file)))
        self.transcript.load([UserItem("订单发货后多久能收到？ " * 60)])
        self.composer = Composer(list)
        self.composer.completions.append(CommandCompletion({"model": lambda: MODELS}, lambda: True))

    def compose(self) -> ComposeResult:
        yield self.transcript
        yield self.composer.popup
        with Horizontal(id="entry"):
            yield Static("› ", id="prompt", markup=False)
            yield self.composer


@pytest.mark.parametrize("size", [(120, 36), (80, 24)], ids=["120x36", "80x24"])
@pytest.mark.parametrize("state", ["names", "options"])
async def test_the_popup_looks_as_it_did(state: str, size: tuple[int, int], tmp_path: Path) -> None:
    gallery = Gallery()
    async with gallery.run_test(size=size) as pilot:
        gallery.composer.focus()
        await pilot.pause()
        typed = "/" if state == "names" else "/set t"
        await pilot.press(
            *("slash" if key == "/" else "space" if key == " " else key for key in typed), "down"
        )
        await pilot.pause()
        drawn = picture(gallery, f"{state}, {size[0]} columns")
    assert_looks_as(SNAPSHOTS / f"completion-{state}-{size[0]}.svg", drawn, tmp_path)

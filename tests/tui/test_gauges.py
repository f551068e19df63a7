"""The gauges in the program: what they say while a reply comes, of a model that spills, of a server that is gone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from script import Fault, Model, Reply, failure
from scripted_server import ScriptedServer
from walk import Walk, walking

from qwentui.chat.usage import ServerUsage, Usage
from qwentui.store.paths import shipped
from qwentui.store.themes import load_theme
from qwentui.telemetry.history import History, Moment, PastReply
from qwentui.telemetry.memory import Memory, ModelMemory
from qwentui.telemetry.vram import Card, Cards, GpuProcess
from qwentui.tui.screens.gauge_panel import GaugePanel
from qwentui.tui.screens.gauge_report import Sight, report
from qwentui.tui.widgets.gauge_forms import Readings
from qwentui.tui.widgets.gauge_plot import plot

if TYPE_CHECKING:
    from pathlib import Path

GIB = 1 << 30
WIDE = (120, 30)


def _gauge(walk: Walk) -> str:
    return walk.app.chat.gauges.render_line(0).text


async def test_the_wait_runs_until_the_first_token_and_is_the_replys_own_after_it(tmp_path: Path) -> None:
    script = Reply(content=("one ", "two ", "three"), holds=(0, 2))
    async with ScriptedServer(script) as server, walking(tmp_path, server.url, size=WIDE) as walk:
        await walk.connected()
        await walk.say("hello")
        await walk.until(lambda: server.holding == 0 and "s…" in _gauge(walk))
        server.release()
        await walk.until(lambda: server.holding == 2 and "TTFT" in _gauge(walk) and "s…" not in _gauge(walk))
        await walk.until(lambda: "in use" in _gauge(walk))
        server.release()
        await walk.answered()
        usage = walk.app.chat.live.usage
        assert usage is not None
        await walk.until(lambda: f"TTFT {usage.ttft:.2f}s" in _gauge(walk) and " 50 tok/s" in _gauge(walk))
        await walk.until(lambda: "unload 5 min" in _gauge(walk))
        # What is usual for the model is read from the store, where the reply is by now.
        await walk.until(lambda: f"~{usage.ttft:.2f}" in _gauge(walk))


async def test_a_model_that_does_not_fit_says_what_of_it_is_on_the_cpu(tmp_path: Path) -> None:
    spilled = Model(size=20_000_000_000, size_vram=15_000_000_000)
    async with ScriptedServer(models=(spilled,)) as server, walking(tmp_path, server.url, size=WIDE) as walk:
        await walk.connected()
        await walk.say("hello")
        await walk.answered()
        await walk.until(lambda: "! 25% on CPU" in _gauge(walk))


async def test_a_model_that_another_client_unloads_and_a_server_that_goes_leave_the_gauges(
    tmp_path: Path,
) -> None:
    async with ScriptedServer() as server, walking(tmp_path, server.url, size=WIDE) as walk:
        await walk.connected()
        await walk.say("hello")
        await walk.answered()
        await walk.until(lambda: "unload" in _gauge(walk))
        server.loaded.clear()
        walk.app.watch_gauges._ask_at = 0.0
        await walk.until(lambda: walk.app.watch_gauges.model.is_loaded is False)
        assert "unload" not in _gauge(walk)
        await server.stop()
        walk.app.watch_gauges._ask_at = 0.0
        await walk.until(lambda: walk.app.watch_gauges.asked is None)
        assert walk.app.watch_gauges.model == ModelMemory()
        await server.start()
        walk.app.watch_gauges._ask_at = 0.0
        await walk.until(lambda: walk.app.watch_gauges.asked is not None)


async def test_the_context_is_red_without_a_reply_when_another_client_loads_it_otherwise(
    tmp_path: Path,
) -> None:
    async with ScriptedServer() as server, walking(tmp_path, server.url, size=WIDE) as walk:
        await walk.connected()
        server.loaded["qwen3:latest"] = 4096
        await walk.until(lambda: "4.1k loaded" in _gauge(walk))


async def test_nobody_looks_and_nothing_is_asked(tmp_path: Path) -> None:
    async with ScriptedServer() as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        watch = walk.app.watch_gauges
        await walk.until(lambda: watch.asked is not None and watch._sampler._watched.is_set())
        walk.app.app_focus = False
        await walk.until(lambda: not watch._sampler._watched.is_set())
        assert not watch._timer._active.is_set()
        asked = server.count("/api/ps")
        walk.app.app_focus = True
        await walk.until(lambda: server.count("/api/ps") > asked and watch._timer._active.is_set())


async def test_a_first_token_that_came_late_is_explained(tmp_path: Path) -> None:
    quick, late = Reply(content=("ok",)), Reply(content=("late",), holds=(0,))
    async with (
        ScriptedServer(*[quick] * 5, late) as server,
        walking(tmp_path, server.url, size=WIDE) as walk,
    ):
        await walk.connected()
        watch = walk.app.watch_gauges
        for number in range(1, 6):
            await walk.say(f"question {number}")
            await walk.until(
                lambda number=number: not walk.app.chat.busy and watch.usual and watch.usual.count == number
            )
        usual = watch.usual
        await walk.say("the last")
        # Half a second more: what the screen counts begins a little before what the reply counts.
        enough = max(2 * usual.ttft_p95, usual.ttft_p50 + 1.0) + 0.5
        await walk.until(lambda: walk.app.chat.live.run and walk.app.chat.live.run.times.wait > enough)
        await walk.until(lambda: server.holding == 0)
        server.release()
        await walk.until(lambda: any("The first token took" in notice for notice in walk.notices))
        assert sum("are usual" in notice for notice in walk.notices) == 1


async def test_a_try_again_and_a_break_leave_the_gauges_whole(tmp_path: Path) -> None:
    script = (failure(503, "busy", retry_after="0"), Reply(fault=Fault.CUT, fault_at=2), Reply())
    async with ScriptedServer(*script) as server, walking(tmp_path, server.url, size=WIDE) as walk:
        await walk.connected()
        await walk.say("hello")
        reply = await walk.answered()
        assert reply.content == "Hello, world."
        await walk.until(lambda: "TTFT" in _gauge(walk) and "in use" not in _gauge(walk))


async def test_f2_shows_the_gauges_in_full_and_closes_again(tmp_path: Path) -> None:
    async with ScriptedServer() as server, walking(tmp_path, server.url, size=(60, 15)) as walk:
        await walk.connected()
        await walk.say("hello")
        await walk.answered()
        await walk.until(lambda: bool(walk.app.watch_gauges.history.moments))
        for key in ("escape", "q", "f2"):
            await walk.pilot.press("f2")
            await walk.until(lambda: isinstance(walk.app.screen, GaugePanel))
            screen = walk.app.screen
            await walk.until(lambda screen=screen: "The last replies" in screen._shown)
            assert "tok/s" in screen._shown
            assert str(screen._plot) == load_theme("qwentui-dark", [shipped("themes")]).gauges.plot
            await walk.pilot.press("j", "k", key)
            await walk.until(lambda: walk.app.screen is walk.app.chat)


def test_the_report_of_nothing_known_says_so() -> None:
    sight = Sight(Readings(), None, None, ModelMemory(), None, None, History(), "")
    text = report(sight, 50).plain
    assert "VRAM  not known" in text
    assert "TTFT  none yet" in text
    assert "There is no model yet." in text
    assert "The last replies" not in text


def _sight(*cards: Card, size: int, size_vram: int) -> Sight:
    memory = Memory("card", 20 * GIB, 22 * GIB)
    model = ModelMemory(True, size, size_vram)
    return Sight(Readings(memory), None, Cards(0.0, cards), model, None, None, History(), "qwen3")


def test_the_report_names_who_holds_the_card_and_what_is_not_the_models() -> None:
    processes = (GpuProcess(7, "python3", 2 * GIB), GpuProcess(8, "llama-server", 18 * GIB), GpuProcess(9))
    card = Card(0, "NVIDIA A10", 20 * GIB, 22 * GIB, processes=processes)
    text = report(_sight(card, size=17 * GIB, size_vram=17 * GIB), 100).plain
    assert "Held by llama-server 18.0 GiB, python3 2.0 GiB. 3.0 GiB are not the model's buffers." in text
    assert "CPU" not in text
    two = report(_sight(card, replace(card, index=1), size=17 * GIB, size_vram=17 * GIB), 80).plain
    assert "Held by llama-server" in two
    assert "not the model's" not in two


def test_the_report_says_what_to_do_about_a_model_that_spills() -> None:
    text = " ".join(report(_sight(size=20 * GIB, size_vram=15 * GIB), 80).plain.split())
    assert "25% runs on the CPU, which is slow. Ask for a smaller num_ctx" in text


def test_the_report_has_a_row_a_reply_with_the_parts_of_its_wait() -> None:
    history = History()
    server = ServerUsage(20, 1.0, 100, 2.0, 0.25, 3.5)
    history.replies.append(PastReply("qwen3", Usage(1.5, 3.5, None, server, connect=0.125), "stop"))
    history.replies.append(PastReply("another", Usage(9.5, 3.5), "stop"))
    history.moments.append(Moment(vram=GIB, speed=50.0, context=100.0))
    sight = Sight(Readings(), None, None, ModelMemory(), None, None, history, "qwen3")
    text = report(sight, 50).plain
    assert "  1.50  0.12  0.25   1.00  0.12   50.0   100  stop" in text
    assert "9.50" not in text
    assert max(len(line) for line in text.splitlines() if "█" in line) == 50


def test_a_plot_is_read_from_the_right_and_tells_nought_from_not_known() -> None:
    assert plot([None, 0.0, 4.0, 8.0], 6, 8.0, height=1) == ["   ▁▄█"]
    assert plot([1.0, 8.0, 16.0], 3, 16.0) == ["  █", "▁██"]
    assert plot([1.0, 8.0, None, 2.0], 2, 8.0, height=1) == ["█▂"]
    assert plot([5.0], 1, 0.0, height=1) == ["▁"]

"""`qwentui bench` as a user runs it: over a scripted server, from the shell."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import stat
import subprocess
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from cli.shell import QWENTUI, environment
from nvml_stub import NvmlStub
from script import Fault, Model, Plain, Reply, failure
from scripted_server import ScriptedServer
from terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path

    from scripted_server import ThreadedServer

NO_CARD = {"LD_LIBRARY_PATH": "/nonexistent"}
SMALL = ("--runs", "2", "--contexts", "300,600", "--parallel", "1,2")
WORDS = tuple("春天来了,花开了。")


def bench(
    data: Path, *arguments: str, server: ThreadedServer | None = None, environ: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    host = () if server is None else ("--host", server.url)
    return subprocess.run(
        [*QWENTUI, "bench", *host, *arguments],
        env=environment(data) | NO_CARD | (environ or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )


def record(run: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(run.stdout)
    return value


def chats(server: ThreadedServer) -> list[Any]:
    return [request.json for request in server.requests if request.path == "/api/chat"]


def test_the_table_has_every_part(tmp_path: Path) -> None:
    with ScriptedServer(Reply(content=WORDS, interval=0.002)).in_thread() as server:
        run = bench(tmp_path, *SMALL, server=server)
    assert run.returncode == 0, run.stderr
    for part in (
        "Ollama 0.32.15 at 127.0.0.1",
        "春天的散文",
        "first token (TTFT)",
        "1.8 s, P95 2.4 s",
        "Cold run",
        "21.5 GB",
        "300 tokens",
        "Conversations at once",
        "13 requests",
    ):
        assert part in run.stdout
    assert "cold run…" in run.stderr


def test_what_is_asked_is_the_same_every_time_where_it_must_be(tmp_path: Path) -> None:
    with ScriptedServer(Reply(content=WORDS)).in_thread() as server:
        assert bench(tmp_path, *SMALL, server=server).returncode == 0
        asked = chats(server)
        first = next(i for i, request in enumerate(server.requests) if request.path == "/api/chat")
        assert any(
            r.path == "/api/generate" and r.json.get("keep_alive") == 0 for r in server.requests[:first]
        )
    assert {body["options"]["num_ctx"] for body in asked} == {8192}
    assert {body["think"] for body in asked} == {False}
    plain = [body for body in asked if body["options"]["num_predict"] == 512]
    assert len(plain) == 1 + 2 + 2 * (1 + 2)
    assert {len(body["messages"]) for body in plain} == {1}
    assert len({body["messages"][0]["content"] for body in plain}) == 1
    assert [body["options"]["seed"] for body in plain[:3]] == [0, 1, 2]
    probes = [body for body in asked if body["options"]["num_predict"] == 8]
    assert len({body["messages"][0]["content"] for body in probes}) == len(probes)  # nothing to be cached


def test_the_record_holds_the_truth_and_is_kept_for_this_user_only(tmp_path: Path) -> None:
    with ScriptedServer(Reply(content=WORDS, interval=0.002)).in_thread() as server:
        said = record(bench(tmp_path, *SMALL, "--json", server=server))
        asked = [request for request in server.requests if request.path == "/api/chat"]
    warm = [run for run in said["runs"] if run["step"] == "warm"]
    assert [run["eval_count"] for run in warm] == [len(WORDS)] * 2
    assert said["figures"]["served_rate"]["mean"] == 50.0
    assert said["figures"]["cold"]["load_duration"] == 0.004
    for run, request in zip(warm, asked[1:3], strict=True):
        assert run["ttft"] >= request.sent_at[0] - request.received_at - 0.001  # no earlier than it was sent
    [kept] = (tmp_path / "qwentui" / "benches").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert json.loads(kept.read_text())["id"] == said["id"] == kept.stem


def test_csv_has_a_row_a_request_and_markdown_a_table(tmp_path: Path) -> None:
    with ScriptedServer().in_thread() as server:
        run = bench(tmp_path, *SMALL, "--no-cold", "--format", "csv", server=server)
    rows = list(csv.DictReader(io.StringIO(run.stdout)))
    assert [row["step"] for row in rows] == ["warm"] * 2 + ["context"] * 4 + ["parallel"] * 6
    [kept] = (tmp_path / "qwentui" / "benches").iterdir()
    shown = bench(tmp_path, "--show", kept.stem, "--format", "markdown")
    assert "| first token (TTFT) |" in shown.stdout
    assert "## Cold run" not in shown.stdout


def test_a_server_that_serves_one_at_a_time_is_found_out(tmp_path: Path) -> None:
    """Both are asked at once; the second reply is held until the first is all out, and longer than a frame."""
    reply = Reply(content=WORDS, interval=0.02)
    held = Reply(content=WORDS, interval=0.02, holds=(0,))
    server = ScriptedServer(reply, reply, reply, held, reply)
    with server.in_thread() as thread:
        argv = [*QWENTUI, "bench", "--host", thread.url, "--json", "--no-cold"]
        argv += ["--runs", "1", "--contexts", "", "--parallel", "2"]
        with subprocess.Popen(
            argv, env=environment(tmp_path) | NO_CARD, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as child:
            thread.until(lambda s: s.holding == 0)
            thread.until(lambda s: sum(r.finished and r.path == "/api/chat" for r in s.requests) == 3)
            thread.release()
            out, _ = child.communicate(timeout=30)
    [at_once] = json.loads(out)["figures"]["at_once"]
    assert at_once["target"] == 2
    assert at_once["last_ttft"] > at_once["ttft"]
    assert at_once["served"] == 1


def test_failed_runs_are_counted_and_told(tmp_path: Path) -> None:
    good, bad = Reply(content=WORDS), Reply(content=WORDS, fault=Fault.ERROR, fault_at=3)
    with ScriptedServer(good, good, bad, good).in_thread() as server:
        run = bench(tmp_path, "--runs", "3", "--contexts", "", "--parallel", "", server=server)
    assert run.returncode == 1
    assert "4 requests, 1 of them failed" in run.stdout
    assert "1 failed: " in run.stdout


def test_one_refusal_after_the_other_ends_it_with_what_there_is(tmp_path: Path) -> None:
    good, bad = Reply(content=WORDS), failure(500, "model runner has unexpectedly stopped")
    with ScriptedServer(good, good, bad).in_thread() as server:
        run = bench(tmp_path, "--runs", "50", "--contexts", "", "--parallel", "", "--no-cold", server=server)
        assert len(chats(server)) == 5
    assert run.returncode == 1
    assert "3 runs failed one after the other" in run.stderr
    assert "Not complete: " in run.stdout
    assert "4 of 50 requests, 3 of them failed" in run.stdout


def test_a_server_that_goes_away_ends_it_with_what_there_is(tmp_path: Path) -> None:
    reply = Reply(content=WORDS)
    server = ScriptedServer(reply, reply, Reply(content=WORDS, holds=(3,)))
    with server.in_thread() as thread:
        argv = [*QWENTUI, "bench", "--host", thread.url, "--runs", "9", "--no-cold"]
        with subprocess.Popen(
            argv,
            env=environment(tmp_path) | NO_CARD,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        ) as child:
            thread.until(lambda s: s.holding == 3)
            thread.stop()
            out, err = child.communicate(timeout=30)
            thread.start()
    assert child.returncode == 1
    assert "2 of 42 requests, 1 of them failed" in out
    assert thread.url.removeprefix("http://") in err
    assert "Traceback" not in err


def test_ctrl_c_reports_what_there_is_and_keeps_it(tmp_path: Path) -> None:
    reply = Reply(content=WORDS)
    with ScriptedServer(reply, reply, reply, Reply(content=WORDS, holds=(3,))).in_thread() as server:
        argv = [*QWENTUI, "bench", "--host", server.url, "--runs", "9", "--no-cold"]
        with subprocess.Popen(
            argv,
            env=environment(tmp_path) | NO_CARD,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        ) as child:
            server.until(lambda s: s.holding == 3)
            os.kill(child.pid, signal.SIGINT)
            out, err = child.communicate(timeout=30)
        server.until(lambda s: s.last("/api/chat").hung_up)
    assert child.returncode == 130
    assert "2 of 42 requests" in out
    assert "Not complete: It was stopped by Ctrl+C." in out
    assert "Traceback" not in err
    assert "stopped" in bench(tmp_path, "--list").stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_ends_it_keeps_what_there_is(tmp_path: Path, number: signal.Signals) -> None:
    reply = Reply(content=WORDS)
    with ScriptedServer(reply, reply, Reply(content=WORDS, holds=(3,))).in_thread() as server:
        argv = [*QWENTUI, "bench", "--host", server.url, "--runs", "9", "--no-cold", "--json"]
        with subprocess.Popen(
            argv, env=environment(tmp_path) | NO_CARD, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as child:
            server.until(lambda s: s.holding == 3)
            os.kill(child.pid, number)
            out, _ = child.communicate(timeout=30)
    assert child.returncode == 128 + number
    assert json.loads(out)["stopped"] == f"It was ended by {number.name}."


def test_a_terminal_that_goes_away_loses_nothing(tmp_path: Path) -> None:
    reply = Reply(content=WORDS)
    with ScriptedServer(reply, reply, Reply(content=WORDS, holds=(3,))).in_thread() as server:
        argv = [*QWENTUI, "bench", "--host", server.url, "--runs", "9", "--no-cold"]
        with Terminal(argv, env=environment(tmp_path) | NO_CARD) as terminal:
            server.until(lambda s: s.holding == 3)
            terminal.hang_up()
            terminal.wait_exit()
    [kept] = (tmp_path / "qwentui" / "benches").iterdir()
    assert json.loads(kept.read_text())["stopped"] == "It was ended by SIGHUP."


def test_ctrl_c_before_the_first_run_keeps_nothing(tmp_path: Path) -> None:
    with ScriptedServer(Reply(holds=(0,))).in_thread() as server:
        argv = [*QWENTUI, "bench", "--host", server.url]
        with subprocess.Popen(
            argv, env=environment(tmp_path) | NO_CARD, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as child:
            server.until(lambda s: s.holding == 0)
            os.kill(child.pid, signal.SIGINT)
            out, err = child.communicate(timeout=30)
    assert (child.returncode, out) == (130, b"")
    assert b"Traceback" not in err
    assert not (tmp_path / "qwentui" / "benches").exists()


def test_a_server_without_a_cold_run_says_so(tmp_path: Path) -> None:
    gone = Plain(404, b"404 page not found", "text/plain")
    at = dict.fromkeys(("/api/version", "/api/tags", "/"), gone)
    with ScriptedServer(Reply(content=WORDS), at=at).in_thread() as server:
        run = bench(tmp_path, *SMALL, server=server)
    assert run.returncode == 0, run.stderr
    assert "There is no cold run: only Ollama" in " ".join(run.stdout.split())


def test_lengths_outside_the_context_are_left_out_and_named(tmp_path: Path) -> None:
    info = {"general.architecture": "qwen3", "qwen3.context_length": 1024}
    with ScriptedServer(Reply(content=WORDS), models=(Model(model_info=info),)).in_thread() as server:
        run = bench(tmp_path, "--runs", "1", "--parallel", "", server=server)
        assert {body["options"]["num_ctx"] for body in chats(server)} == {1024}
    assert "outside the context of 1,024: 1,024, 2,048, 4,096, 7,000" in " ".join(run.stdout.split())
    assert "512 tokens" in run.stdout


def test_the_card_of_this_machine_is_in_the_table(tmp_path: Path) -> None:
    stub = NvmlStub(tmp_path)
    stub.say("card0.used 20900", "card0.total 22731")
    with ScriptedServer(Reply(content=WORDS, interval=0.01)).in_thread() as server:
        run = bench(tmp_path, *SMALL, server=server, environ=stub.environ)
    assert "NVIDIA A10, driver 580.65.06" in run.stdout
    assert "20.4 of 22.2 GiB" in run.stdout


def test_a_plot_is_svg(tmp_path: Path) -> None:
    plot = tmp_path / "first-token.svg"
    with ScriptedServer(Reply(content=WORDS)).in_thread() as server:
        run = bench(tmp_path, *SMALL, "--plot", str(plot), server=server)
    assert str(plot) in run.stderr
    drawn = ET.fromstring(plot.read_text(encoding="utf-8"))
    assert len(drawn.findall(".//{http://www.w3.org/2000/svg}circle")) == 2 + 2


def test_two_days_are_compared(tmp_path: Path) -> None:
    arguments = ("--runs", "8", "--contexts", "", "--parallel", "", "--no-cold")
    for version, interval in (("0.32.15", 0.005), ("0.33.0", 0.015)):
        with ScriptedServer(
            Reply(content=WORDS, interval=interval), version=version, port=0
        ).in_thread() as server:
            assert bench(tmp_path, *arguments, server=server).returncode == 0
    # Each server had a port of its own; the earlier one is named.
    first = min(path.stem for path in (tmp_path / "qwentui" / "benches").iterdir())
    run = bench(tmp_path, "--compare", first)
    assert run.returncode == 0, run.stderr
    told = [line.split() for line in run.stdout.splitlines()]
    assert ["version", "0.32.15", "0.33.0"] in told
    assert "worse" in next(words for words in told if words[:2] == ["whole", "reply"])
    assert "noise" in next(words for words in told if words[:3] == ["tokens/s,", "by", "the"])
    compared = record(bench(tmp_path, "--compare", first, "--json"))
    assert compared["before"] == first


def test_nothing_to_compare_is_one_sentence(tmp_path: Path) -> None:
    run = bench(tmp_path, "--compare")
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == "qwentui: No bench was kept yet. Run one: qwentui bench\n"
    folder = tmp_path / "qwentui" / "benches"
    folder.mkdir(parents=True)
    (folder / "20260101-000000.json").write_text('{"id": ')
    run = bench(tmp_path, "--list")
    assert "20260101-000000.json is left out: " in run.stderr
    assert run.returncode == 0


def test_flags_that_cannot_be_used(tmp_path: Path) -> None:
    assert "'1,x' is no list of numbers" in bench(tmp_path, "--parallel", "1,x").stderr
    assert "from 1 to 64" in bench(tmp_path, "--parallel", "65").stderr
    model = Model(capabilities=("completion",))
    with ScriptedServer(models=(model,)).in_thread() as server:
        run = bench(tmp_path, "--think", server=server)
    assert run.stderr == "qwentui: qwen3:latest cannot think. Leave out --think.\n"
    assert run.returncode == 2

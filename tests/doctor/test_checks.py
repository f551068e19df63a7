"""Each check, where it fires and where it does not."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from qwentui.backends.base import LoadedModel
from qwentui.chat.context import TrimPolicy
from qwentui.chat.errors import ConnectFailed
from qwentui.chat.memory_fit import A10, ModelShape
from qwentui.doctor import card, context, files, model, server, terminal
from qwentui.doctor.finding import Finding, Verdict, broken, exit_code, good, unknown, warning
from qwentui.store.database import Database
from qwentui.store.paths import Paths, shipped
from qwentui.telemetry.vram import Card, Cards, GpuProcess

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MIB = 1 << 20
GIB = 1 << 30
QWEN3_32B = ModelShape(18424 * MIB, 64, 64 * 8 * 256, 151936, 40960)


def verdicts(findings: Iterable[Finding]) -> dict[str, Verdict]:
    return {finding.check: finding.verdict for finding in findings}


def a10(**changes: Any) -> Card:
    values: dict[str, Any] = {
        "used": 500 * MIB,
        "total": A10,
        "utilisation": 3,
        "temperature": 40,
        "power": 30.0,
    }
    return Card(0, "NVIDIA A10", **(values | changes))


def sample(*cards: Card, driver: str = "580.65.06", trouble: str = "") -> Cards:
    return Cards(0.0, cards, trouble, driver, "13.0")


def test_what_needs_doing_says_how_and_what_does_not_says_nothing() -> None:
    assert good("x", "y").remedy == ""
    assert exit_code([good("x", "y"), unknown("x", "y")]) == 0
    assert exit_code([good("x", "y"), warning("x", "y", "z")]) == 1
    assert exit_code([warning("x", "y", "z"), broken("x", "y", "z")]) == 2


@pytest.mark.parametrize(
    ("cards", "local", "check", "verdict"),
    [
        (sample(a10()), True, "gpu 0", Verdict.GOOD),
        (sample(trouble="No driver."), True, "gpu", Verdict.WARNING),
        (sample(trouble="No driver."), False, "gpu", Verdict.UNKNOWN),
        (sample(a10(trouble="It fell off the bus.")), True, "gpu 0", Verdict.BROKEN),
        (sample(a10()), True, "driver", Verdict.GOOD),
        (sample(a10(), driver="535.161.08"), True, "driver", Verdict.WARNING),
        (sample(a10(), driver="555.42.02"), True, "driver", Verdict.WARNING),
        (sample(a10(), driver=""), True, "driver", Verdict.UNKNOWN),
        (sample(a10()), True, "vram", Verdict.GOOD),
        (sample(a10(used=A10 - MIB)), True, "vram", Verdict.WARNING),
        (sample(a10(processes=(GpuProcess(7, "python3", 4 * GIB),))), True, "vram", Verdict.WARNING),
        (sample(a10(processes=(GpuProcess(7, "llama-server", 20 * GIB),))), True, "vram", Verdict.GOOD),
        (sample(a10(processes=(GpuProcess(7, "Xorg", 4 * MIB),))), True, "vram", Verdict.GOOD),
        (sample(a10(temperature=90)), True, "heat", Verdict.WARNING),
    ],
)
def test_cards(cards: Cards, local: bool, check: str, verdict: Verdict) -> None:
    assert verdicts(card.check_cards(cards, local=local))[check] is verdict


def test_a_cool_card_is_not_warned_of_and_an_instance_is_named() -> None:
    assert "heat" not in verdicts(card.check_cards(sample(a10()), local=True))
    found = list(card.check_cards(sample(a10(mig=True)), local=True))
    assert any("MIG" in finding.evidence for finding in found)


@pytest.mark.parametrize(
    ("version", "ollama", "verdict"),
    [
        ("0.32.15", True, Verdict.GOOD),
        ("0.24.0", True, Verdict.WARNING),
        ("0.12.5", True, Verdict.WARNING),
        ("0.5.0", True, Verdict.BROKEN),
        ("0.0.0-custom", True, Verdict.BROKEN),
        ("main", True, Verdict.UNKNOWN),
        ("llama.cpp", False, Verdict.GOOD),
    ],
)
def test_versions(version: str, ollama: bool, verdict: Verdict) -> None:
    assert server.check_version("a10:11434", version, ollama=ollama).verdict is verdict


def test_a_server_that_is_away_is_told_with_its_own_hint() -> None:
    found = server.check_unreachable(ConnectFailed("Nothing listens.", "Start it."), "a10:11434")
    assert (found.verdict, found.remedy) == (Verdict.BROKEN, "Start it.")


@pytest.mark.parametrize(
    ("local", "plain", "secret", "fires"),
    [
        (False, True, True, True),
        (True, True, True, False),
        (False, False, True, False),
        (False, True, False, False),
    ],
)
def test_a_password_in_plain_text(local: bool, plain: bool, secret: bool, fires: bool) -> None:
    assert bool(list(server.check_address("h", local=local, plain=plain, secret=secret))) is fires


@pytest.mark.parametrize(
    ("theirs", "verdict"),
    [(1000.0, Verdict.GOOD), (1020.0, Verdict.GOOD), (940.0, Verdict.WARNING), (None, Verdict.UNKNOWN)],
)
def test_clocks(theirs: float | None, verdict: Verdict) -> None:
    assert server.check_clock(1000.0, theirs).verdict is verdict


@pytest.mark.parametrize(
    ("wanted", "fitting", "names", "verdict"),
    [
        ("", ["qwen3"], ["qwen3"], Verdict.GOOD),
        ("x", [], ["qwen3"], Verdict.BROKEN),
        ("", [], [], Verdict.BROKEN),
        ("q", ["qwen3", "qwen2"], ["qwen3", "qwen2"], Verdict.WARNING),
    ],
)
def test_the_choice_of_a_model(wanted: str, fitting: list[str], names: list[str], verdict: Verdict) -> None:
    assert model.check_choice(wanted, fitting, names).verdict is verdict


@pytest.mark.parametrize(
    ("loaded", "verdict"),
    [
        (None, Verdict.GOOD),
        (LoadedModel("qwen3", size=20 * GIB, size_vram=20 * GIB), Verdict.GOOD),
        (LoadedModel("qwen3", size=20 * GIB, size_vram=15 * GIB), Verdict.WARNING),
        (LoadedModel("qwen3"), Verdict.UNKNOWN),
    ],
)
def test_what_is_loaded(loaded: LoadedModel | None, verdict: Verdict) -> None:
    assert verdicts(model.check_loaded(loaded))["loaded"] is verdict


JINJA = "{% for message in messages %}{{ message.content }}{% endfor %}"


@pytest.mark.parametrize(
    ("show", "thinking", "check", "verdict"),
    [
        ({"template": JINJA}, False, "template", Verdict.GOOD),
        ({"template": "{{ .System }}{{ .Prompt }}"}, False, "template", Verdict.GOOD),
        ({"template": "{{ .Prompt }}"}, False, "template", Verdict.BROKEN),
        ({}, False, "template", Verdict.BROKEN),
        ({"capabilities": ["completion", "thinking"]}, True, "capabilities", Verdict.GOOD),
        ({"capabilities": ["completion"]}, True, "capabilities", Verdict.WARNING),
        ({"capabilities": ["completion"]}, False, "capabilities", Verdict.GOOD),
        ({}, False, "capabilities", Verdict.UNKNOWN),
        ({"parameters": 'stop "<|im_end|>"\nnum_ctx 8192'}, False, "parameters", Verdict.GOOD),
        ({"parameters": 'stop "【|<|>"'}, False, "parameters", Verdict.WARNING),
        ({"parameters": "num_gqa 8"}, False, "parameters", Verdict.WARNING),
    ],
)
def test_what_a_model_says_of_itself(
    show: dict[str, Any], thinking: bool, check: str, verdict: Verdict
) -> None:
    assert verdicts(model.check_shown(show, wants_thinking=thinking))[check] is verdict


@pytest.mark.parametrize(
    ("setting", "verdict"),
    [
        ("5m", Verdict.GOOD),
        ("1h30m", Verdict.GOOD),
        ("-1", Verdict.GOOD),
        ("300", Verdict.GOOD),
        ("0", Verdict.WARNING),
        ("five minutes", Verdict.BROKEN),
    ],
)
def test_keep_alive(setting: str, verdict: Verdict) -> None:
    assert model.check_keep_alive(setting).verdict is verdict


def test_the_numbers_of_the_context_agree_or_not() -> None:
    assert context.check_numbers(TrimPolicy()).verdict is Verdict.GOOD
    assert context.check_numbers(TrimPolicy(budget=9000)).verdict is Verdict.WARNING


@pytest.mark.parametrize(
    ("vram", "tokens"), [(16 * GIB, 4096), (A10, 4096), (24 * GIB, 32768), (48 * GIB, 262144)]
)
def test_what_ollama_chooses_by_itself(vram: int, tokens: int) -> None:
    assert context.automatic_num_ctx(vram) == tokens


@pytest.mark.parametrize(
    ("given", "check", "verdict"),
    [
        ({}, "num_ctx", Verdict.GOOD),
        ({"loaded": 8192}, "num_ctx", Verdict.GOOD),
        ({"loaded": 4096}, "num_ctx", Verdict.WARNING),
        ({"trained": 2048}, "num_ctx", Verdict.WARNING),
        ({"vram": A10}, "other clients", Verdict.WARNING),
        ({"modelfile": 4096}, "other clients", Verdict.WARNING),
        ({"modelfile": 8192, "vram": A10}, "other clients", None),
        ({}, "other clients", None),
    ],
)
def test_num_ctx(given: dict[str, int], check: str, verdict: Verdict | None) -> None:
    known: dict[str, int | None] = {"modelfile": None, "loaded": None, "trained": None, "vram": None}
    assert verdicts(context.check_num_ctx(8192, **(known | given))).get(check) is verdict


@pytest.mark.parametrize(
    ("card_size", "num_ctx", "verdict", "says"),
    [
        (A10, 8192, Verdict.GOOD, "spare"),
        (A10, 16384, Verdict.WARNING, "q8_0"),
        (16 * GIB, 8192, Verdict.BROKEN, "layers"),
        (None, 8192, Verdict.UNKNOWN, "weights 18,424"),
    ],
)
def test_does_it_fit(card_size: int | None, num_ctx: int, verdict: Verdict, says: str) -> None:
    (found,) = context.check_fit(QWEN3_32B, card_size, num_ctx, 1)
    assert found.verdict is verdict
    assert says in found.evidence + found.remedy


def test_two_at_a_time_take_twice_the_cache() -> None:
    (found,) = context.check_fit(QWEN3_32B, A10, 8192, 2)
    assert found.verdict is Verdict.WARNING
    assert [f.verdict for f in context.check_fit(None, A10, 8192, 1)] == [Verdict.UNKNOWN]


@pytest.mark.parametrize(
    ("environ", "size", "check", "verdict"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, (120, 36), "terminal", Verdict.GOOD),
        ({"TERM": "dumb"}, (120, 36), "terminal", Verdict.WARNING),
        ({}, (120, 36), "terminal", Verdict.WARNING),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, (120, 36), "colours", Verdict.GOOD),
        ({"TERM": "xterm", "NO_COLOR": "1"}, (120, 36), "colours", Verdict.GOOD),
        ({"TERM": "xterm-256color"}, (120, 36), "colours", Verdict.WARNING),
        ({"TERM": "xterm"}, (120, 36), "colours", Verdict.WARNING),
        ({"LANG": "C.UTF-8"}, (120, 36), "encoding", Verdict.GOOD),
        ({"LANG": "zh_CN.GBK"}, (120, 36), "encoding", Verdict.WARNING),
        ({}, (40, 10), "size", Verdict.WARNING),
        ({}, (80, 24), "size", None),
    ],
)
def test_the_environment(
    environ: dict[str, str], size: tuple[int, int], check: str, verdict: Verdict | None
) -> None:
    assert verdicts(terminal.check_environment(environ, *size)).get(check) is verdict


@pytest.mark.parametrize(
    ("answers", "check", "verdict"),
    [
        (terminal.Answers(synchronized=True), "synchronized output", Verdict.GOOD),
        (terminal.Answers(synchronized=False), "synchronized output", Verdict.UNKNOWN),
        (terminal.Answers(), "synchronized output", Verdict.UNKNOWN),
        (terminal.Answers(clipboard=True), "clipboard", Verdict.GOOD),
        (terminal.Answers(clipboard=False), "clipboard", Verdict.UNKNOWN),
        (terminal.Answers(wide=2, combined=1), "widths", Verdict.GOOD),
        (terminal.Answers(wide=1, combined=1), "widths", Verdict.WARNING),
        (terminal.Answers(), "widths", Verdict.UNKNOWN),
        (terminal.Answers(round_trip=0.03, rate=1e6), "link", Verdict.GOOD),
        (terminal.Answers(round_trip=0.4, rate=1e6), "link", Verdict.WARNING),
        (terminal.Answers(round_trip=0.03, rate=9000.0), "link", Verdict.WARNING),
        (terminal.Answers(), "link", None),
    ],
)
def test_what_a_terminal_answers(answers: terminal.Answers, check: str, verdict: Verdict | None) -> None:
    assert verdicts(terminal.check_answers(answers)).get(check) is verdict


RIGHT = {"set-clipboard": "on", "default-terminal": "tmux-256color", "escape-time": "20"}


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({}, Verdict.GOOD),
        ({"set-clipboard": "off"}, Verdict.WARNING),
        ({"default-terminal": "screen"}, Verdict.WARNING),
        ({"escape-time": "500"}, Verdict.WARNING),
    ],
)
def test_tmux(changed: dict[str, str], verdict: Verdict) -> None:
    assert verdicts(terminal.check_tmux(RIGHT | changed))["tmux"] is verdict


def test_a_tmux_that_tells_nothing_is_unknown() -> None:
    assert verdicts(terminal.check_tmux({}))["tmux"] is Verdict.UNKNOWN


def test_settings_with_a_password_are_for_one_pair_of_eyes(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    assert files.check_settings(path).verdict is Verdict.GOOD
    path.write_text('[server]\nbearer = "x"\n')
    path.chmod(0o644)
    assert files.check_settings(path).verdict is Verdict.WARNING
    path.chmod(0o600)
    assert files.check_settings(path).verdict is Verdict.GOOD


def test_themes(tmp_path: Path) -> None:
    folders = (tmp_path, shipped("themes"))
    assert verdicts(files.check_themes(folders, "qwentui-dark")) == {"themes": Verdict.GOOD}
    assert verdicts(files.check_themes(folders, "auto")) == {"themes": Verdict.GOOD}
    assert verdicts(files.check_themes(folders, "none"))["themes"] is Verdict.BROKEN
    (tmp_path / "mine.toml").write_text("name = 1")
    assert verdicts(files.check_themes(folders, "mine"))["themes"] is Verdict.WARNING
    (tmp_path / "mine.toml").write_text("dark = 1")
    assert verdicts(files.check_themes(folders, "auto"))["themes"] is Verdict.WARNING
    assert verdicts(files.check_themes(folders, "mine"))["themes"] is Verdict.BROKEN


def test_the_chats(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    assert files.check_database(path).verdict is Verdict.GOOD
    Database.open(path).close()
    assert files.check_database(path).verdict is Verdict.GOOD
    before = path.read_bytes()
    path.write_bytes(before[:4096] + b"\xff" * (len(before) - 4096))
    assert files.check_database(path).verdict is Verdict.BROKEN
    path.write_bytes(b"garbage" * 1000)
    assert files.check_database(path).verdict is Verdict.BROKEN
    # It looks, and mends nothing.
    assert path.read_bytes() == b"garbage" * 1000


def test_a_store_of_a_newer_program(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    database = Database.open(path)
    database.connection.execute("PRAGMA user_version = 999")
    database.close()
    found = files.check_database(path)
    assert (found.verdict, found.remedy) == (Verdict.BROKEN, "Upgrade qwentui.")


def test_folders(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "c", tmp_path / "d", tmp_path / "e", tmp_path / "f")
    assert verdicts(files.check_folders(paths)) == {"data folder": Verdict.GOOD}
    # procfs takes no files, whoever asks.
    locked = Paths(tmp_path / "c", type(tmp_path)("/proc/self"), tmp_path / "e", tmp_path / "f")
    assert verdicts(files.check_folders(locked))["data folder"] is Verdict.WARNING


def test_a_disk_with_little_room_is_told_of(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a small tmpfs")
    try:
        found = list(files.check_folders(Paths(tmp_path, disk / "data", tmp_path, tmp_path)))
        assert [(finding.check, finding.verdict) for finding in found] == [("data folder", Verdict.WARNING)]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_the_versions_are_told() -> None:
    found = files.check_versions()
    assert found.verdict is Verdict.GOOD
    assert "textual" in found.evidence


def test_a_broken_persona_is_named_and_good_ones_are_counted(tmp_path: Path) -> None:
    assert verdicts(files.check_personas(tmp_path / "none")) == {"personas": Verdict.GOOD}
    (tmp_path / "good.toml").write_text('system = "x"')
    [found] = files.check_personas(tmp_path)
    assert (found.verdict, found.evidence) == (Verdict.GOOD, f"1 at {tmp_path}")
    (tmp_path / "bad.toml").write_text("system = 3")
    (tmp_path / "worse.toml").write_text("system = [\n}")
    bad, worse = files.check_personas(tmp_path)
    assert bad.verdict is worse.verdict is Verdict.WARNING
    assert "bad.toml, system: expected" in bad.evidence
    assert "line 2" in worse.evidence

"""`qwentui config` as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from cli.shell import QWENTUI, environment
from terminal import Terminal

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "config.toml"


def run(
    home: Path, *arguments: str, given: bytes = b"", **environ: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*QWENTUI, *arguments],
        env=environment(home) | {"XDG_CONFIG_HOME": str(home)} | environ,
        input=given,
        capture_output=True,
        check=False,
        timeout=60,
    )


def shown(home: Path, *before: str, **environ: str) -> dict[str, tuple[Any, str]]:
    """Value and source of each key."""
    done = run(home, *before, "config", "show", "--json", **environ)
    assert (done.returncode, done.stderr) == (0, b"")
    records = [json.loads(line) for line in done.stdout.splitlines()]
    return {record["key"]: (record["value"], record["source"]) for record in records}


def written(home: Path, text: str) -> Path:
    path = home / "qwentui" / "config.toml"
    path.parent.mkdir()
    path.write_text(text)
    return path


def test_the_path_is_that_of_the_file_in_use(tmp_path: Path) -> None:
    assert run(tmp_path, "config", "path").stdout.decode() == f"{tmp_path}/qwentui/config.toml\n"
    assert run(tmp_path, "--config", "other.toml", "config", "path").stdout == b"other.toml\n"


def test_the_defaults_are_the_example(tmp_path: Path) -> None:
    assert run(tmp_path, "config", "show", "--defaults").stdout == EXAMPLE.read_bytes()


def test_a_flag_goes_before_all_and_every_source_is_named(tmp_path: Path) -> None:
    written(
        tmp_path,
        "[model]\nname = 'file'\nnum_ctx = 1000\nnum_predict = 10\n"
        "[profile.a10.model]\nname = 'profile'\nnum_ctx = 2000\n[profile.a10.server]\nhost = 'a10'\n",
    )
    found = shown(tmp_path)
    assert found["model.name"] == ("file", "file")
    assert found["model.keep_alive"] == ("5m", "default")
    found = shown(tmp_path, "--profile", "a10")
    assert found["model.name"] == ("profile", "profile a10")
    assert found["model.num_predict"] == (10, "file")
    found = shown(tmp_path, QWENTUI_PROFILE="a10", QWENTUI_MODEL_NAME="environ", QWENTUI_SERVER_HOST="e")
    assert found["model.name"] == ("environ", "QWENTUI_MODEL_NAME")
    assert found["model.num_ctx"] == (2000, "profile a10")
    found = shown(tmp_path, "--model", "flag", "--host", "h", "--log-file", "l", QWENTUI_MODEL_NAME="environ")
    assert found["model.name"] == ("flag", "--model")
    assert found["server.host"] == ("h", "--host")
    assert found["log.file"] == ("l", "--log-file")


def test_the_model_that_a_persona_wants_comes_from_the_flag_that_named_it(tmp_path: Path) -> None:
    written(tmp_path, "[model]\nname = 'file'\n")
    folder = tmp_path / "qwentui" / "personas"
    folder.mkdir()
    (folder / "shop.toml").write_text("system = 'Sell.'\nmodel = 'qwen3:32b'\n")
    assert shown(tmp_path, "--persona", "shop")["model.name"] == ("qwen3:32b", "--persona")
    assert shown(tmp_path, "--persona", "shop", "--model", "m")["model.name"] == ("m", "--model")


@pytest.mark.parametrize("below", ["[profile.a10.model]\nname = 'x'", "[model]\nname = 'x'", ""])
def test_a_flag_goes_before_the_profile_the_file_and_the_default(tmp_path: Path, below: str) -> None:
    written(tmp_path, below)
    profile = ("--profile", "a10") if "profile" in below else ()
    assert shown(tmp_path, *profile, "--model", "flag")["model.name"] == ("flag", "--model")


def test_nothing_that_lets_someone_in_is_shown(tmp_path: Path) -> None:
    written(
        tmp_path,
        "[server]\nhost = 'https://me:s3cret@box'\nuser = 'me'\npassword = 's3cret'\nbearer = 's3cret'\n"
        "headers = { Key = 's3cret' }\n",
    )
    for form in ((), ("--json",)):
        done = run(tmp_path, "config", "show", *form)
        assert b"s3cret" not in done.stdout + done.stderr
    found = shown(tmp_path, QWENTUI_SERVER_BEARER="s3cret")
    assert found["server.password"] == ("***", "file")
    assert found["server.bearer"] == ("***", "QWENTUI_SERVER_BEARER")
    assert found["server.headers"] == ({"Key": "***"}, "file")
    assert found["server.host"] == ("https://***@box", "file")
    assert found["server.user"] == ("me", "file")


def test_a_pipe_gets_whole_values_and_a_terminal_columns(tmp_path: Path) -> None:
    path = written(tmp_path, f"[model]\nsystem = '{'word ' * 40}'\nname = '模型'\n")
    lines = run(tmp_path, "config", "show").stdout.decode().splitlines()
    assert f'model.system\t"{"word " * 40}"\tfile' in lines
    assert "model.temperature\tunset\tdefault" in lines
    with Terminal(
        [*QWENTUI, "--config", str(path), "config", "show"], env=environment(tmp_path), cols=120, rows=60
    ) as terminal:
        terminal.wait_exit()
        screen = terminal.screen_text()
    heading = next(line for line in screen.splitlines() if "KEY" in line)
    row = next(line for line in screen.splitlines() if "model.system" in line)
    assert heading.index("SOURCE") == row.index("file")


def test_what_was_set_is_shown_and_what_was_unset_is_not(tmp_path: Path) -> None:
    for key, value in (
        ("model.num_ctx", "4096"),
        ("model.seed", "-1"),
        ("model.keep_alive", "-1"),
        ("model.stop", '["a", "b"]'),
        ("server.verify", "false"),
        ("model.system", "Sei kurz.\nImmer."),
        ("profile.a10.model.num_ctx", "2048"),
    ):
        done = run(tmp_path, "config", "set", key, value)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    found = shown(tmp_path)
    assert found["model.num_ctx"] == (4096, "file")
    assert found["model.seed"] == (-1, "file")
    assert found["model.keep_alive"] == ("-1", "file")
    assert found["model.stop"] == (["a", "b"], "file")
    assert found["server.verify"] == (False, "file")
    assert found["model.system"] == ("Sei kurz.\nImmer.", "file")
    assert shown(tmp_path, "--profile", "a10")["model.num_ctx"] == (2048, "profile a10")
    assert run(tmp_path, "config", "unset", "model.num_ctx").returncode == 0
    assert shown(tmp_path)["model.num_ctx"] == (8192, "default")
    done = run(tmp_path, "config", "unset", "model.num_ctx")
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"model.num_ctx is not set in" in done.stderr


def test_with_a_profile_the_profile_is_changed(tmp_path: Path) -> None:
    run(tmp_path, "--profile", "a10", "config", "set", "server.host", "box")
    path = tmp_path / "qwentui" / "config.toml"
    assert tomllib.loads(path.read_text()) == {"profile": {"a10": {"server": {"host": "box"}}}}
    run(tmp_path, "--profile", "a10", "config", "unset", "server.host")
    assert tomllib.loads(path.read_text()) == {"profile": {"a10": {"server": {}}}}


def test_a_secret_comes_by_standard_input(tmp_path: Path) -> None:
    assert run(tmp_path, "config", "set", "server.bearer", "-", given=b"tok\n").returncode == 0
    path = tmp_path / "qwentui" / "config.toml"
    assert tomllib.loads(path.read_text())["server"]["bearer"] == "tok"
    assert path.stat().st_mode & 0o777 == 0o600
    done = run(tmp_path, "config", "set", "server.bearer", "-", given=b"\xff")
    assert (done.returncode, done.stderr) == (
        2,
        b"qwentui: Standard input is not UTF-8. Give the value as UTF-8.\n",
    )


def test_a_wrong_value_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    done = run(tmp_path, "config", "set", "model.num_ctx", "0")
    assert done.returncode == 2
    assert done.stderr == b"qwentui: model.num_ctx cannot be 0. It is a whole number, 1 or more.\n"
    assert not (tmp_path / "qwentui").exists()


def test_a_file_with_a_wrong_value_can_be_mended(tmp_path: Path) -> None:
    path = written(tmp_path, "[model]\nnum_ctx = 0 # too little\n")
    assert run(tmp_path, "config", "show").returncode == 2
    assert run(tmp_path, "config", "set", "model.num_ctx", "4096").returncode == 0
    assert path.read_text() == "[model]\nnum_ctx = 4096 # too little\n"


def test_only_changing_the_file_loads_the_library_for_it(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from qwentui.cli import cli\n"
        "cli(['config', 'show'], standalone_mode=False)\n"
        "assert 'tomlkit' not in sys.modules and 'textual' not in sys.modules\n"
        "cli(['config', 'set', 'model.name', 'm'], standalone_mode=False)\n"
        "assert 'tomlkit' in sys.modules\n"
    )
    environ = {**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], env=environ, check=True, stdout=subprocess.DEVNULL)

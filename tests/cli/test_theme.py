"""`qwentui theme` as a user calls it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest
from cli.shell import in_home
from terminal import Terminal

from qwentui.store.paths import shipped
from qwentui.store.themes import theme_names

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

NAMES = list(theme_names([shipped("themes")]))


def run(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    terminal = {"XDG_CONFIG_HOME": str(home), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    return in_home(home, "theme", *arguments, **(terminal | variables))


def folder(home: Path) -> Path:
    return home / "qwentui" / "themes"


def used(home: Path, **variables: str) -> list[str]:
    lines = run(home, "list", **variables).stdout.splitlines()
    return [line.split("\t")[0] for line in lines if line.endswith("\tin use")]


def test_the_list_says_what_each_is_for_and_which_is_in_use(tmp_path: Path) -> None:
    listed = run(tmp_path, "list")
    assert listed.stderr == ""
    assert [line.split("\t")[0] for line in listed.stdout.splitlines()] == NAMES
    assert "qwentui-paper\tlight\tcomes along\t\n" in listed.stdout
    assert used(tmp_path) == ["qwentui-dark"]
    assert used(tmp_path, COLORFGBG="0;15") == ["qwentui-light"]
    assert used(tmp_path, NO_COLOR="1") == ["terminal-mono"]
    assert used(tmp_path, QWENTUI_SCREEN_THEME="qwentui-dusk") == ["qwentui-dusk"]
    records = [json.loads(line) for line in run(tmp_path, "list", "--json").stdout.splitlines()]
    assert [record["name"] for record in records if record["in_use"]] == ["qwentui-dark"]
    assert records[0]["gauges"].keys() == {"value", "label", "bar", "empty", "warning", "critical", "plot"}


def test_a_new_one_is_a_copy_with_its_comments_and_never_written_over(tmp_path: Path) -> None:
    assert run(tmp_path, "path").stdout == f"{folder(tmp_path)}\n"
    done = run(tmp_path, "new", "my-night", "--from", "qwentui-dusk")
    assert done.returncode == 0
    assert "qwentui config set screen.theme my-night" in done.stderr
    path = folder(tmp_path) / "my-night.toml"
    assert path.read_text() == (shipped("themes") / "qwentui-dusk.toml").read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert "my-night\tdark\tyours\t" in run(tmp_path, "list").stdout
    path.write_text("# changed\n")
    again = run(tmp_path, "new", "my-night")
    assert (again.returncode, path.read_text()) == (2, "# changed\n")
    assert "is there already" in again.stderr
    assert run(tmp_path, "new", "third.toml", "--from", "my-night").returncode == 0
    assert (folder(tmp_path) / "third.toml").read_text() == "# changed\n"


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "auto", "a b", "x" * 80, "a\x1b[31m"])
def test_a_name_that_can_be_no_files_is_refused(tmp_path: Path, name: str) -> None:
    done = run(tmp_path, "new", name)
    assert done.returncode == 2
    assert "A theme cannot be called" in done.stderr
    assert "\x1b" not in done.stderr
    assert not folder(tmp_path).exists() or not list(folder(tmp_path).iterdir())


def test_show_has_every_role_and_broken_ones_are_told_apart_from_the_list(tmp_path: Path) -> None:
    folder(tmp_path).mkdir(parents=True)
    (folder(tmp_path) / "mine.toml").write_text('[colors]\nbackground = "#fff"\nbackgruond = "#000"\n')
    (folder(tmp_path) / "bad.toml").write_text("\ncode = 1\n")
    shown = run(tmp_path, "show", "mine")
    assert "colors.background\t#ffffff\n" in shown.stdout
    assert "gauges.plot\t" in shown.stdout
    assert "line 3: colors.backgruond is unknown; did you mean colors.background?" in shown.stderr
    listed = run(tmp_path, "list")
    assert (listed.returncode, "mine\tlight\tyours" in listed.stdout) == (0, True)
    assert "bad.toml, line 2: code is 1, which is no table." in listed.stderr
    broken = run(tmp_path, "show", "bad")
    assert broken.returncode == 2
    assert "Traceback" not in broken.stderr


@pytest.mark.parametrize(("variables", "has_colour"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_gets_swatches_unless_it_wants_no_colour(
    variables: dict[str, str], has_colour: bool
) -> None:
    with Terminal([sys.executable, "-m", "qwentui", "theme", "show", "qwentui-dark"], env=variables) as shown:
        assert shown.wait_exit() == 0
        assert "gauges.plot" in shown.screen_text()
        assert (b"\x1b[" in shown.raw) is has_colour

"""The wheel in an empty venv, run from another folder, as a newcomer would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from terminal import Terminal

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        folder,
        ROOT,
    ]
    subprocess.run(command, check=True)
    return next(folder.glob("qwentui-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    venv = tmp_path_factory.mktemp("empty") / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    # The README's first command; the quotes are the shell's.
    pip = [venv / "bin/pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, f"{wheel}[embedded]"], check=True)
    return venv / "bin"


def test_the_wheel_holds_the_styles_every_theme_and_the_personas(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    themes = {f"qwentui/themes/{path.name}" for path in (ROOT / "themes").glob("*.toml")}
    personas = {f"qwentui/examples/personas/{path.name}" for path in (ROOT / "examples/personas").glob("*")}
    assert {"qwentui/tui/qwentui.tcss", "qwentui/py.typed", *themes, *personas} <= names
    assert not [name for name in names if name.startswith(("tests/", "examples/"))]


def test_it_speaks_chinese_where_it_is_installed(installed: Path, tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "zh_CN.UTF-8"}
    run = subprocess.run(
        [installed / "qwentui", "--help"], env=environment, capture_output=True, text=True, check=True
    )
    assert "用法" in run.stdout


def test_it_runs_from_another_folder(installed: Path, tmp_path: Path) -> None:
    run = subprocess.run(
        [installed / "qwentui", "--version"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("qwentui ")


def test_it_finds_its_themes_there(installed: Path, tmp_path: Path) -> None:
    code = (
        "from qwentui.store.paths import shipped; from qwentui.store.themes import theme_names, load_theme;"
        "names = theme_names([shipped('themes')]); [load_theme(n, [shipped('themes')]) for n in names]; print(len(names))"
    )
    run = subprocess.run(
        [installed / "python", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.stdout.strip() == str(len(list((ROOT / "themes").glob("*.toml")))), run.stderr


@pytest.mark.real_model
def test_a_newcomer_without_any_server_is_answered_by_a_real_model(installed: Path) -> None:
    nowhere = {"OLLAMA_HOST": "127.0.0.1:1", "PATH": f"{installed}:{os.environ['PATH']}"}
    with Terminal([str(installed / "qwentui")], env=nowhere) as terminal:
        terminal.wait_for("Nothing listens at 127.0.0.1:1", timeout=60)
        terminal.send("b")
        terminal.wait_for("@ built-in model", timeout=300)
        terminal.send("Say hello in one short sentence.\r")
        terminal.wait_for(
            re.compile(r"\d tok · ttft \d+\.\d\d s · .* · (stop|cut at its longest length)"), timeout=120
        )
        answer = terminal.screen_text().partition("short sentence.")[2].partition("ttft")[0]
        assert re.search(r"[A-Za-z]{2,}", answer)
        terminal.send("\x11")
        assert terminal.wait_exit() == 0
    assert b"Traceback" not in terminal.raw

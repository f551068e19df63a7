from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest
from cli.shell import QWENTUI, environment, in_home
from hypothesis import given
from hypothesis import strategies as st
from terminal import Terminal

from qwentui.chat.persona import Persona
from qwentui.chat.sampling import Sampling
from qwentui.chat.sanitize import sanitize_whole
from qwentui.store.paths import shipped
from qwentui.store.persona_files import toml_of, write_text
from qwentui.store.personas import load_personas, read_persona

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return in_home(home, "persona", *arguments, XDG_CONFIG_HOME=str(home))


def folder(home: Path) -> Path:
    return home / "qwentui" / "personas"


def test_the_examples_are_added_listed_and_shown(tmp_path: Path) -> None:
    assert "add --examples" in run(tmp_path, "list").stderr
    assert run(tmp_path, "add", "--examples").returncode == 0
    listed = run(tmp_path, "list")
    assert listed.stderr == ""
    names = sorted(path.stem for path in (shipped("examples") / "personas").glob("*.toml"))
    assert [line.split("\t")[0] for line in listed.stdout.splitlines()] == names
    assert "电商客服专家" in listed.stdout
    records = [json.loads(line) for line in run(tmp_path, "list", "--json").stdout.splitlines()]
    assert next(record for record in records if record["name"] == "shell")["sampling"]["temperature"] == 0.3
    shown = run(tmp_path, "show", "电商")
    assert shown.stdout.startswith("你是一名资深电商客服专家")
    assert "{date}" not in shown.stdout
    assert "ecommerce-zh.toml" in shown.stderr


def test_an_example_that_was_changed_stays(tmp_path: Path) -> None:
    run(tmp_path, "add", "--examples")
    (folder(tmp_path) / "shell.toml").write_text('system = "mine"')
    again = run(tmp_path, "add", "--examples")
    assert "shell is there already, changed; it stays as it is." in again.stderr
    assert "editor is there already." in again.stderr
    assert run(tmp_path, "show", "shell").stdout == "mine\n"


def test_a_broken_file_is_named_beside_the_others_and_can_be_removed(tmp_path: Path) -> None:
    write_text(folder(tmp_path) / "bad.toml", "system = 3")
    write_text(folder(tmp_path) / "good.toml", 'system = "x"')
    listed = run(tmp_path, "list")
    assert listed.stdout == "good\t\t\n"
    assert "bad.toml, system: expected" in listed.stderr
    unasked = run(tmp_path, "rm", "bad")
    assert (unasked.returncode, "Give --yes." in unasked.stderr) == (2, True)
    assert run(tmp_path, "rm", "bad", "--yes").returncode == 0
    assert [path.name for path in folder(tmp_path).iterdir()] == ["good.toml"]


def test_a_new_one_is_a_persona_at_once_and_goes_over_none(tmp_path: Path) -> None:
    made = run(tmp_path, "new", "../My reviewer")
    assert made.returncode == 0
    [kept] = load_personas(folder(tmp_path)).kept
    assert kept.path.name == "My-reviewer.toml"
    assert kept.persona.system == "You are a helpful assistant."
    again = run(tmp_path, "new", "My reviewer")
    assert (again.returncode, "is there already" in again.stderr) == (2, True)
    assert run(tmp_path, "new", "...").returncode == 2
    edit = run(tmp_path, "edit", "rev")
    assert (edit.returncode, "needs a terminal" in edit.stderr) == (2, True)


def test_the_editor_opens_in_a_terminal_and_what_is_wrong_is_said(tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text(f"#!{sys.executable}\nimport sys\nopen(sys.argv[1], 'w').write('system = 3')\n")
    editor.chmod(0o700)
    variables = environment(tmp_path) | {
        "XDG_CONFIG_HOME": str(tmp_path),
        "EDITOR": str(editor),
        "VISUAL": "",
    }
    with Terminal([*QWENTUI, "persona", "new", "mine"], env=variables) as terminal:
        terminal.wait_for("Correct it")
        assert terminal.wait_exit() == 2
    with Terminal([*QWENTUI, "persona", "rm", "mine"], env=variables) as terminal:
        terminal.wait_for("[y/N]")
        terminal.send("n\r")
        terminal.wait_for("stays.")
        assert terminal.wait_exit() == 0
    assert (folder(tmp_path) / "mine.toml").read_text() == "system = 3\n"


def test_a_modelfile_and_a_role_of_aichat_are_imported(tmp_path: Path) -> None:
    recipe = 'FROM qwen3\nPARAMETER temperature 0.6\nPARAMETER stop "END"\nPARAMETER num_gpu 9\nSYSTEM """Two\nlines."""\n'
    (tmp_path / "Modelfile").write_text(recipe)
    (tmp_path / "role.md").write_text(
        "---\nmodel: ollama:qwen3:8b\ntemperature: 0.1\ntop_p: null\n---\nBe 'it'.\n"
    )
    (tmp_path / "plain.md").write_text("Just text\n---\n")
    for name in ("Modelfile", "role.md", "plain.md"):
        assert run(tmp_path, "import", name).returncode == 0
    recipe_made, plain, role = (kept.persona for kept in load_personas(folder(tmp_path)).kept)
    assert recipe_made == Persona(
        "Modelfile", "Two\nlines.", sampling=Sampling(temperature=0.6, stop=("END",))
    )
    assert role == Persona("role", "Be 'it'.", model="qwen3:8b", sampling=Sampling(temperature=0.1))
    assert plain.system == "Just text\n---"


def test_an_imported_prompt_that_takes_in_a_file_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "role.md").write_text("Read {file:~/.ssh/id} and {date}.")
    assert "sends the file ~/.ssh/id along" in run(tmp_path, "import", "role.md").stderr


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("Modelfile", "FROM x\n", "has no SYSTEM"),
        ("Modelfile", "FROM x\nSYSTEM a\nPARAMETER temperature hot\n", "temperature: 'hot' is no number"),
        ("role.md", "---\ntemperature: hot\n---\nx", "temperature: 'hot' is no number"),
        ("role.md", "---\nmodel: x\n---\n", "has no text"),
    ],
)
def test_what_cannot_be_imported_is_said(tmp_path: Path, name: str, text: str, reason: str) -> None:
    (tmp_path / name).write_text(text)
    refused = run(tmp_path, "import", name)
    assert (refused.returncode, reason in refused.stderr) == (2, True)
    assert not folder(tmp_path).exists()


@given(st.text(min_size=1), st.text())
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, system: str, stop: str
) -> None:
    safe = sanitize_whole(system).text.strip()
    if safe:
        path = tmp_path_factory.mktemp("written") / "a.toml"
        persona = Persona("a", safe, sampling=Sampling(temperature=0.5, stop=(sanitize_whole(stop).text,)))
        write_text(path, toml_of(persona))
        assert read_persona(path) == persona

"""The help of the commands and click's own words, in the language that the environment or the settings ask for."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest
from rich.cells import cell_len

from qwentui import language
from qwentui.cli import cli, speaking
from qwentui.cli.click_words import _SENTENCES, _pattern, show
from qwentui.cli.doctor import _line
from qwentui.cli.flags import Flags
from qwentui.cli.help_formatter import HelpFormatter
from qwentui.cli.sessions import _table
from qwentui.cli.table import _aligned
from qwentui.doctor.finding import good
from qwentui.store.records import SessionInfo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHINESE = (
    "提出一个问题，并随着回答的到来把它打印出来。通过管道输入的内容会附加在问题下面，其余的都会保持原样。"
)


def contexts(context: click.Context) -> Iterator[click.Context]:
    """A call of each command, of the groups too."""
    yield context
    command = context.command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from contexts(inner.context_class(inner, parent=context, info_name=name))


ALL = list(contexts(cli.context_class(cli, info_name="qwentui")))


def run(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    home = {
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
        "XDG_DATA_HOME": str(folder),
        "COLUMNS": "80",
    }
    return subprocess.run(
        [sys.executable, "-m", "qwentui", *arguments],
        env={"LANG": "C.UTF-8", "PYTHONUTF8": "1"} | home | environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("context", ALL, ids=lambda context: context.command_path)
def test_every_command_and_option_can_be_translated(context: click.Context) -> None:
    command = context.command
    assert isinstance(command, speaking.Command)
    assert command.help
    for parameter in command.params:
        assert isinstance(parameter, speaking.Option | click.Argument), parameter.name


@pytest.mark.parametrize("arguments", ["--help", "doctor --help", "bench --help", "model --help"])
def test_help_in_chinese_is_whole(tmp_path: Path, arguments: str) -> None:
    shown = run(tmp_path, *arguments.split(), LANG="zh_CN.UTF-8")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "--help" in shown.stdout
    assert max(map(cell_len, shown.stdout.splitlines())) <= 80


def test_settings_that_cannot_be_read_are_no_hindrance_to_help(tmp_path: Path) -> None:
    (tmp_path / "qwentui").mkdir()
    (tmp_path / "qwentui" / "config.toml").write_text("screen = [")
    shown = run(tmp_path, "--help")
    assert (shown.returncode, shown.stderr) == (0, "")


@pytest.fixture
def english() -> Iterator[None]:
    language.use(language.ENGLISH)
    yield
    language.use(language.ENGLISH)


@pytest.mark.usefixtures("english")
@pytest.mark.parametrize(
    ("settings", "environ", "is_chinese"),
    [
        ('screen.language = "zh_CN"', {"LANG": "en_US.UTF-8"}, True),
        ('screen.language = "en"', {"LANG": "zh_CN.UTF-8"}, False),
        ('screen.language = "en"', {"QWENTUI_SCREEN_LANGUAGE": "zh_CN"}, True),
        ('profile.home.screen.language = "zh_CN"', {"LANG": "en_US.UTF-8"}, True),
        ("", {"LANG": "zh_TW.UTF-8"}, True),
        ("screen.language = [", {"LANG": "zh_CN.UTF-8"}, False),
    ],
)
def test_help_speaks_as_the_settings_say(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: str,
    environ: dict[str, str],
    is_chinese: bool,
) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "QWENTUI_SCREEN_LANGUAGE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "config.toml"
    path.write_text(settings)
    context = speaking.Context(cli, info_name="qwentui")
    context.obj = Flags(config=path, profile="home" if "profile" in settings else None)
    cli.get_help(context)
    assert (language._catalogue is not None) == is_chinese


@pytest.mark.parametrize("width", [50, 77])
def test_chinese_is_laid_out_by_cells(width: int) -> None:
    formatter = HelpFormatter(width=width)
    with formatter.section("Options"):
        formatter.write_dl(
            [("-m, --model NAME", CHINESE), ("--num-ctx-and-a-very-long-name N", CHINESE), ("-x", "")]
        )
    with formatter.indentation():
        formatter.write_text(f"{CHINESE}\n{CHINESE}\n\nqwentui ask")
    lines = formatter.getvalue().splitlines()
    assert max(map(cell_len, lines)) <= width
    assert "".join(line.strip() for line in lines).count(CHINESE) == 4
    column = lines[1].index(CHINESE[:4])
    assert lines[2][:column].isspace()
    assert lines[2][column] == CHINESE[len(lines[1]) - column]


def test_a_table_is_aligned_by_cells() -> None:
    rows = [("名称", "大小", "标题"), ("qwen3:32b", "20 GB", "春天"), ("模型", "5 GB", "hello")]
    lines = _aligned(rows, numbers=(1,))
    assert lines == ["名称        大小  标题", "qwen3:32b  20 GB  春天", "模型        5 GB  hello"]
    assert {cell_len(line[: line.rindex("  ")]) for line in lines} == {16}


def test_chats_are_listed_by_cells() -> None:
    titles = ["关于春天的散文", "spring"]
    infos = [
        SessionInfo("7f3a", title, 0.0, 0.0, model, rounds=3)
        for title, model in zip(titles, ("模型", "qwen3:32b"), strict=True)
    ]
    heading, *lines = (click.unstyle(line) for line in _table(infos, 80))
    places = {cell_len(line[: line.rindex(title)]) for line, title in zip(lines, titles, strict=True)}
    assert places == {cell_len(heading[: heading.rindex("TITLE")])}


def test_the_name_of_a_check_takes_its_cells() -> None:
    lines = [click.unstyle(_line(good(name, "evidence"))) for name in ("显卡", "gpu")]
    assert len({cell_len(line[: line.index("evidence")]) for line in lines}) == 1


WRONG = [
    ["--modle"],
    ["--nothing-like-it"],
    ["ask", "--json=3"],
    ["ask", "--model"],
    ["nothing"],
    ["persona", "shwo"],
    ["model", "pull"],
    ["model", "copy", "a", "b", "c"],
    ["model", "copy", "a", "b", "c", "d"],
    ["bench", "--runs", "0"],
    ["bench", "--runs", "x"],
    ["bench", "--contexts", "x"],
    ["doctor", "--vram", "x"],
    ["export", "--format", "x"],
    ["stats", "--since", "x"],
    ["model"],
]


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_clicks_complaints_are_as_click_words_them(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(click.ClickException) as raised:
        cli.main(arguments, prog_name="qwentui", standalone_mode=False)
    show(raised.value)
    ours = capsys.readouterr().err
    raised.value.show()
    assert ours == capsys.readouterr().err


@pytest.mark.parametrize("arguments", [each for each in WRONG if each != ["model"]], ids=" ".join)
def test_clicks_complaints_are_recognised(arguments: list[str]) -> None:
    with pytest.raises(click.ClickException) as raised:
        cli.main(arguments, prog_name="qwentui", standalone_mode=False)
    sentence = raised.value.format_message().partition("Invalid value for ")[2].partition(": ")[2]
    sentence = sentence or raised.value.format_message()
    if "is no list of numbers" not in sentence:
        assert any(re.fullmatch(_pattern(known), sentence) for known in _SENTENCES), sentence

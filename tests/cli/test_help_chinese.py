"""The help of every command in Chinese: no English sentence is left in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from qwentui import language
from qwentui.cli import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

ENGLISH = re.compile(r"(?<![-\w./])[A-Za-z]?[a-z]{2,} (?:[a-z]{2,} )*[a-z]{2,}\b")
TYPED = re.compile(
    r"qwentui [a-z]+(?: --[a-z]+)?(?: [a-z]+)?|git diff|eval \"|completion (?:bash|zsh|fish)|persona shop"
)


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of all commands."""
    yield path
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize("path", list(commands(cli)), ids=" ".join)
def test_help_speaks_chinese(path: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> None:
    home = str(tmp_path_factory.mktemp("home"))
    environment = {"HOME": home, "XDG_CONFIG_HOME": home, "QWENTUI_SCREEN_LANGUAGE": "zh_CN"}
    try:
        result = CliRunner().invoke(
            cli, [*path, "--help"], env=environment, terminal_width=100, prog_name="qwentui"
        )
    finally:
        language.use(language.ENGLISH)
    assert result.exit_code == 0, result.output
    assert re.search(r"[\u4e00-\u9fff]{2}", result.output)
    assert ENGLISH.findall(TYPED.sub("", result.output)) == []

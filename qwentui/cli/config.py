"""`qwentui config`: the settings, where each comes from, and one of them changed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from qwentui.chat.errors import SettingsError
from qwentui.cli import speaking
from qwentui.language import N_, _

if TYPE_CHECKING:
    from pathlib import Path

    from qwentui.cli.flags import Flags
    from qwentui.launch import Launch

_SOURCES = {"file": N_("file"), "default": N_("default")}
"""What is no name among the places where a value comes from."""

_WIDEST = 60
"""Cells of a value in a terminal."""


@speaking.group("config")
@click.pass_obj
def command(flags: Flags) -> None:
    """Show the settings, and change the settings file."""
    speaking.speak_as_set(flags)


@command.command("show")
@speaking.option("--json", "as_json", is_flag=True, help=N_("Print one JSON record a key."))
@speaking.option(
    "--defaults", is_flag=True, help=N_("Print a settings file with every default and what it means.")
)
@click.pass_obj
def show(flags: Flags, *, as_json: bool, defaults: bool) -> None:
    """Show every key, its value, and where that comes from; what lets someone in is shown as ***.

    Of the table [keys] only what is bound otherwise is shown; F1 in the program lists all of them.

    The source is a flag, an environment variable, a profile, the file, or the default.
    """
    from qwentui.cli.output import standard_output, told
    from qwentui.cli.table import print_records
    from qwentui.store.settings_text import default_file

    if defaults:
        with standard_output() as file:
            file.write(default_file().encode())
        return
    records = _records(told(flags.launch()))
    if as_json:
        print_records(records)
    else:
        _print_rows(records)


@command.command("path")
@click.pass_obj
def path_(flags: Flags) -> None:
    """Print where the settings file lies, or would lie."""
    click.echo(str(_file(flags)))


@command.command("set", context_settings={"ignore_unknown_options": True})
@click.argument("key")
@click.argument("value")
@click.pass_obj
def set_(flags: Flags, key: str, value: str) -> None:
    """Write VALUE for KEY into the settings file, and leave the rest of it as it is.

    KEY is a path such as model.num_ctx, or profile.a10.model.num_ctx. A text is given as it is; numbers,
    true, false, lists and tables as in TOML. VALUE - reads it from standard input, where no ps shows it.
    """
    from qwentui.store.settings_edit import set_value

    set_value(_file(flags), _in_profile(flags, key), _read() if value == "-" else value)


@command.command("unset")
@click.argument("key")
@click.pass_obj
def unset(flags: Flags, key: str) -> None:
    """Remove KEY from the settings file, so that its default holds."""
    from qwentui.chat.sanitize import sanitize_line
    from qwentui.store.settings_edit import unset_value

    key = _in_profile(flags, key)
    if not unset_value(_file(flags), key):
        unset_already = _("{key} is not set in {file}.").format(key=sanitize_line(key), file=_file(flags))
        click.echo(f"qwentui: {unset_already}", err=True)


def _file(flags: Flags) -> Path:
    from qwentui.store.paths import user_paths

    return flags.config or user_paths().settings_file


def _in_profile(flags: Flags, key: str) -> str:
    return f"profile.{flags.profile}.{key}" if flags.profile and not key.startswith("profile.") else key


def _read() -> str:
    if sys.stdin is None:
        raise SettingsError(_("Standard input is closed."), _("Give the value behind the key."))
    if sys.stdin.isatty():
        text: str = click.prompt(_("Value"), hide_input=True, default="", show_default=False, err=True)
        return text
    try:
        return sys.stdin.buffer.read().decode().removesuffix("\n")
    except UnicodeDecodeError as error:
        raise SettingsError(_("Standard input is not UTF-8."), _("Give the value as UTF-8.")) from error


def _records(launch: Launch) -> list[dict[str, object]]:
    import msgspec

    from qwentui.store.settings import paths
    from qwentui.store.settings_text import masked

    sources = launch.origin.read().sources if launch.origin is not None else {}
    values = msgspec.to_builtins(launch.settings)
    records: list[dict[str, object]] = []
    for key in paths():
        section, _dot, name = key.partition(".")
        if section == "keys" and name not in values[section]:
            continue
        value = masked(key, values[section][name])
        records.append({"key": key, "value": value, "source": sources.get(key, "default")})
    return records


def _print_rows(records: list[dict[str, object]]) -> None:
    from qwentui.chat.sanitize import sanitize_line
    from qwentui.cli.output import on_terminal
    from qwentui.cli.table import print_table
    from qwentui.store.settings_text import toml_value

    rows = []
    for record in records:
        value = record["value"]
        shown = _("unset") if value is None else toml_value(value)
        limit = _WIDEST if on_terminal() else len(shown) + 1
        source = str(record["source"])
        named = _(_SOURCES[source]) if source in _SOURCES else sanitize_line(source)
        rows.append((str(record["key"]), sanitize_line(shown, limit), named))
    print_table((_("KEY"), _("VALUE"), _("SOURCE")), rows)

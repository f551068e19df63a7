"""Commands and options that are described in the user's language.

The docstring of a command and the help of an option are made when their module is imported, before the
language is known: both are translated when they are read. Options are marked with `N_`; docstrings need no
mark, for `tests/catalogues.py` finds the functions that become commands.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypeVar

import click

from qwentui.language import N_, _

if TYPE_CHECKING:
    from collections.abc import Callable

    from qwentui.cli.flags import Flags

F = TypeVar("F", bound="Callable[..., Any] | click.Command")

_SENTENCE_END = "。"
_HELP = N_("Show this message and exit.")


class Context(click.Context):
    """One call of a command."""

    def make_formatter(self) -> click.HelpFormatter:
        """What lays the help out, imported only for that."""
        from qwentui.cli.help_formatter import HelpFormatter

        return HelpFormatter(width=self.terminal_width, max_width=self.max_content_width)


class Option(click.Option):
    """An option."""

    def _read_help(self) -> str | None:
        return self._help and _(self._help)

    def _write_help(self, text: str | None) -> None:
        self._help = text

    help = property(_read_help, _write_help, doc="What it does, in the user's language.")

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Its names, and what it does, its default among it."""
        record = super().get_help_record(ctx)
        if record is None:
            return None
        from qwentui.cli.help_formatter import with_default

        return record[0], with_default(record[1])


class Command(click.Command):
    """A command."""

    context_class = Context

    def _read_help(self) -> str | None:
        return self._help and _(self._help)

    def _write_help(self, text: str | None) -> None:
        self._help = text and inspect.cleandoc(text)

    help = property(_read_help, _write_help, doc="What it does, in the user's language.")

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """The option that asks for help."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = _(_HELP)
        return option

    def get_help(self, ctx: click.Context) -> str:
        """The help, in the language of the settings."""
        speak_as_set(ctx.find_root().obj)
        return super().get_help(ctx)

    def get_short_help_str(self, limit: int = 45) -> str:
        """The first sentence of the help; one in Chinese is not cut, for it is wrapped well."""
        text = self.help or ""
        if _SENTENCE_END not in text:
            return super().get_short_help_str(limit)
        return text.partition(_SENTENCE_END)[0].replace("\n", "")


class Group(Command, click.Group):
    """A group of commands."""

    command_class = Command


def command(name: str, **options: Any) -> Callable[[Callable[..., Any]], Command]:  # noqa: ANN401 - click's own
    """Make a function a command; `options` are click's."""
    return click.command(name, Command, **options)


def group(
    name: str | None = None,
    cls: type[Group] = Group,
    **options: Any,  # noqa: ANN401 - click's own
) -> Callable[[Callable[..., Any]], Group]:
    """Make a function a group of commands; `options` are click's."""
    return click.group(name, cls, **options)


def option(*names: str, **options: Any) -> Callable[[F], F]:  # noqa: ANN401 - click's own
    """Give a command an option; `options` are click's."""
    return click.option(*names, cls=Option, **options)


def speak_as_set(flags: Flags | None) -> None:
    """Speak as the settings say. Where they cannot be read, they say nothing about it.

    Args:
        flags: What stands on the command line; None while that is not known.
    """
    import os

    from qwentui.chat.errors import SettingsError
    from qwentui.language import speak
    from qwentui.store.paths import user_paths
    from qwentui.store.settings import read_settings

    path = flags.config if flags is not None else None
    profile = flags.profile if flags is not None else None
    try:
        settings = read_settings(path or user_paths().settings_file, os.environ, profile).settings
    except SettingsError:
        return
    speak(settings.screen.language, os.environ)

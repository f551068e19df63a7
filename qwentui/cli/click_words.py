"""What click says itself, in the user's language.

click looks its words up in the process's text domain, by the environment alone and while it parses, which is
before the settings are read. So it speaks English, and what reaches a user is recognised here and said anew.
A sentence that is not listed stays English.
"""

from __future__ import annotations

import re
from string import Formatter

import click

from qwentui.cli.speaking import speak_as_set
from qwentui.language import N_, _

_SENTENCES = (
    N_("Invalid value for {param_hint}: {message}"),
    N_("No such option {name}. Did you mean {possibility}?"),
    N_("No such option {name}. (Did you mean one of: {possibilities}?)"),
    N_("No such option {name}."),
    N_("No such command {name}. Did you mean {possibility}?"),
    N_("No such command {name}. (Did you mean one of: {possibilities}?)"),
    N_("No such command {name}."),
    N_("Missing argument {name}."),
    N_("Missing command."),
    N_("Got unexpected extra argument ({arguments})"),
    N_("Got unexpected extra arguments ({arguments})"),
    N_("Option {name} requires an argument."),
    N_("Option {name} does not take a value."),
    N_("{value} is not one of {choices}."),
    N_("{value} is not a valid integer range."),
    N_("{value} is not a valid float range."),
    N_("{value} is not in the range {range}."),
    N_("{value} does not match the format {format}."),
)
"""click's sentences (8.5), with names for what stands in them."""


def show(error: click.ClickException) -> None:
    """Write what is wrong with a command line to standard error, as click does."""
    if type(error).show not in (click.UsageError.show, click.ClickException.show):
        # No complaint: a group that is called without a command shows its help.
        error.show()
        return
    context = error.ctx if isinstance(error, click.UsageError) else None
    speak_as_set(context.find_root().obj if context is not None else None)
    if context is not None:
        names = context.command.get_help_option_names(context)
        hint = _("Try '{command} {option}' for help.")
        click.echo(context.get_usage(), err=True)
        click.echo(hint.format(command=context.command_path, option=max(names, key=len)) + "\n", err=True)
    click.echo(_("Error: {message}").format(message=_said(error.format_message())), err=True)


def _said(sentence: str) -> str:
    for template in _SENTENCES:
        if found := re.fullmatch(_pattern(template), sentence, re.DOTALL):
            fields = found.groupdict()
            if "message" in fields:
                fields["message"] = _said(fields["message"])
            return _(template).format(**fields)
    return sentence


def _pattern(template: str) -> str:
    pieces = Formatter().parse(template)
    return "".join(re.escape(text) + (f"(?P<{name}>.+)" if name else "") for text, name, *_rest in pieces)

"""The command line: one file a command, each imported only when it is called."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import click

from qwentui import __version__
from qwentui.cli import speaking
from qwentui.cli.shared_options import with_host, with_model, with_persona
from qwentui.language import N_, _

_COMMANDS = {
    "ask": "ask",
    "compare": "compare",
    "sessions": "sessions",
    "export": "export",
    "import": "import_",
    "model": "model",
    "persona": "persona",
    "theme": "theme",
    "stats": "stats",
    "doctor": "doctor",
    "bench": "bench",
    "config": "config",
    "completion": "completion",
}
"""The commands, and the modules that hold them."""


class Commands(speaking.Group):
    """The program itself when no command is named; the commands' modules otherwise."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return [*super().list_commands(ctx), *_COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now."""
        if cmd_name not in _COMMANDS:
            return super().get_command(ctx, cmd_name)
        command: click.Command = import_module(f"qwentui.cli.{_COMMANDS[cmd_name]}").command
        return command


def with_embedded_path(arguments: list[str]) -> list[str]:
    """Give `--embedded`, whose PATH may be left out, the argument behind it only if that is a model file."""
    result: list[str] = []
    for argument in arguments:
        if result and result[-1] == "--embedded=" and argument.lower().endswith(".gguf"):
            result[-1] += argument
        else:
            result.append("--embedded=" if argument == "--embedded" else argument)
    return result


@speaking.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(
    __version__,
    "-V",
    "--version",
    cls=speaking.Option,
    message="qwentui %(version)s",
    help=N_("Show the version and exit."),
)
@with_model
@with_host
@speaking.option(
    "--embedded",
    metavar="[FILE.gguf]",
    help=N_("Run the small built-in model, or any GGUF file, on this machine."),
)
@with_persona
@speaking.option("-c", "--continue", "go_on", is_flag=True, help=N_("Take up the last chat."))
@speaking.option("--session", metavar="ID", help=N_("Take up this chat."))
@speaking.option("--log-file", metavar="FILE", help=N_("Write a JSON object for each exchange to this file."))
@speaking.option("--config", type=click.Path(path_type=Path), help=N_("Settings file to use."))
@speaking.option("--profile", metavar="NAME", help=N_("Lay this profile of the settings file over the rest."))
@click.pass_context
def cli(
    ctx: click.Context,
    *,
    model: str | None,
    host: str | None,
    embedded: str | None,
    persona: str | None,
    go_on: bool,
    session: str | None,
    log_file: str | None,
    config: Path | None,
    profile: str | None,
) -> None:
    """Chat with a model that runs on one GPU of your own."""
    from qwentui.cli.flags import Flags

    resume = session or ("" if go_on else None)
    ctx.obj = Flags(model, host, embedded, config, resume, log_file, profile, persona)
    if ctx.invoked_subcommand is None:
        from qwentui.cli.chat import chat

        chat(ctx.obj)


def main() -> None:
    """Run the program; one sentence and exit code 2 for what a user can mend."""
    import os

    from qwentui.chat.errors import QwentuiError
    from qwentui.language import speak

    speak("auto", os.environ)
    if "_QWENTUI_COMPLETE" in os.environ:
        from qwentui.cli.completing import answer

        answer(cli)
    try:
        sys.exit(cli(with_embedded_path(sys.argv[1:]), prog_name="qwentui", standalone_mode=False))
    except QwentuiError as error:
        click.echo(f"qwentui: {error}", err=True)
        sys.exit(2)
    except click.ClickException as error:
        from qwentui.cli.click_words import show

        show(error)
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo(_("Aborted!"), err=True)
        sys.exit(1)

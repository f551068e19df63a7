"""`qwentui completion`: the script that lets a shell complete what is typed."""

from __future__ import annotations

import click

from qwentui.cli import speaking


@speaking.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print a script that lets SHELL complete commands, options and their values.

    It is read where the shell starts: in ~/.bashrc eval "$(qwentui completion bash)", in ~/.zshrc
    eval "$(qwentui completion zsh)" after compinit, in ~/.config/fish/config.fish
    qwentui completion fish | source. Personas, chats, models, themes and settings are completed, too.
    """
    from qwentui.cli.completing import script

    click.echo(script(shell))

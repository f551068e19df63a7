"""Every command that can be typed, in one table: what it is called, what it does, what may stand behind it.

The composer's completions, the help and the README read it; the screen obeys by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from qwentui.language import N_

Kind = Literal["", "model", "persona", "pair", "think", "budget", "option", "set_option", "theme"]


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes:
        name: What is typed behind the slash.
        action: The action for the command alone, as in the table of keys; "" where it needs an argument.
        help: What it does, in the language of the source.
        usage: What may stand behind it: capitals for what the user names, brackets around what may be left
            out, "" for nothing.
        given: The action for an argument, which it gets as its only parameter.
        kind: What completes the argument, "" for nothing.
        has_lines: Whether the argument may have more than one line.
    """

    name: str
    action: str
    help: str
    usage: str = ""
    given: str = ""
    kind: Kind = ""
    has_lines: bool = False


COMMANDS = (
    Command("new", "new_chat", N_("New chat")),
    Command("sessions", "sessions", N_("All chats, or those with the words"), "[WORDS]", "app.find_sessions"),
    Command(
        "model", "choose_model", N_("Choose the model, or go on with one"), "[NAME]", "app.use_model", "model"
    ),
    Command(
        "persona",
        "persona",
        N_("Choose who the model is; none goes back"),
        "[NAME]",
        "app.use_persona",
        "persona",
    ),
    Command(
        "compare",
        "compare",
        N_("One prompt to two personas, side by side"),
        "[NAME NAME]",
        "app.compare_named",
        "pair",
    ),
    Command("think", "toggle_think", N_("Thinking"), "[default|on|off]", "app.set_think", "think"),
    Command(
        "set",
        "app.list_options",
        N_("Set an option of this chat's requests, or list them"),
        "[KEY [VALUE]]",
        "app.set_option",
        "set_option",
    ),
    Command(
        "unset", "", N_("Back to the persona's or the settings' value"), "KEY", "app.unset_option", "option"
    ),
    Command(
        "system",
        "app.show_system",
        N_("Show or set the system prompt of this chat; none removes it"),
        "[TEXT]",
        "app.set_system",
        has_lines=True,
    ),
    Command(
        "trim",
        "app.show_trim",
        N_("What of the chat is sent, or how many tokens of it at most"),
        "[BUDGET]",
        "app.set_budget",
        "budget",
    ),
    Command("context", "preview", N_("What the next request holds")),
    Command("retry", "regenerate_last", N_("Ask again for the last answer")),
    Command("continue", "continue", N_("Let the last reply go on where it ended")),
    Command("stop", "stop", N_("Stop the reply and keep what came")),
    Command("delete", "delete_round", N_("Delete the last round, or the one at the cursor")),
    Command("undo", "undelete", N_("Bring back what was deleted last")),
    Command("fold", "fold", N_("Fold or unfold thinking, or code at the cursor")),
    Command("copy", "copy_answer", N_("Copy the last answer")),
    Command("search", "search", N_("Search in this chat"), "[WORDS]", "search_for"),
    Command("file", "", N_("Send a file along with what you write, as @PATH does"), "PATH", "attach_file"),
    Command(
        "export",
        "export",
        N_("Write this chat to a file: .md, .jsonl or .openai.jsonl"),
        "[FILE]",
        "app.export_to",
    ),
    Command("title", "", N_("Give this chat another title"), "TEXT", "app.rename_chat"),
    Command(
        "tag",
        "app.show_tags",
        N_("Show or set the tags of this chat; none removes them"),
        "[TAGS]",
        "app.tag_chat",
    ),
    Command("interrupted", "interrupted", N_("Open the chat that was interrupted")),
    Command("load", "app.wish('load')", N_("Load the model now")),
    Command("keep", "app.wish('keep')", N_("Load the model, and keep it until it is unloaded")),
    Command("unload", "app.wish('unload')", N_("Take the model out of the server's memory")),
    Command("gauges", "gauges", N_("The gauges in full")),
    Command("theme", "theme", N_("Choose the colours"), "[NAME]", "app.use_theme", "theme"),
    Command("settings", "settings", N_("The settings")),
    Command("editor", "editor", N_("Write in $EDITOR")),
    Command("help", "help", N_("Keys and commands")),
    Command("quit", "app.quit", N_("Quit")),
)

BY_NAME = {command.name: command for command in COMMANDS}
"""The commands by what is typed behind the slash."""
BY_NAME["?"] = BY_NAME["help"]

"""Every key of the program in one table: what it is called, what it does, where it works.

Screens and widgets take their bindings from here, by way of a `Keymap`, and so do the footer, the help, the
palette, the settings and the README.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Where = Literal[
    "everywhere",
    "chat",
    "composer",
    "completion",
    "transcript",
    "sessions",
    "filter",
    "settings",
    "compare",
]


@dataclass(frozen=True, slots=True)
class Key:
    """One binding.

    Attributes:
        id: The stable name under which a user may rebind it.
        keys: Textual's names of the keys, separated by commas.
        action: The action method, without `action_`.
        help: What it does, for the help screen.
        where: Where the focus must be.
        priority: Whether it goes before the focused widget's own keys.
    """

    id: str
    keys: str
    action: str
    help: str
    where: Where
    priority: bool = False


KEYS = (
    Key("quit", "ctrl+q", "quit", "Quit", "everywhere", priority=True),
    Key("suspend", "ctrl+z", "suspend_process", "To the shell; fg comes back", "everywhere", priority=True),
    Key(
        "help",
        "f1",
        "help",
        "Keys and commands, where they work",
        "chat",
        priority=True,
    ),
    Key("actions", "ctrl+l", "all_actions", "All actions: find one", "chat", priority=True),
    Key("new", "ctrl+n", "new_chat", "New chat", "chat", priority=True),
    Key("sessions", "ctrl+s", "sessions", "All chats: find, open, rename, delete", "chat", priority=True),
    Key("gauges", "f2", "gauges", "The gauges in full", "chat", priority=True),
    Key("interrupted", "f3", "interrupted", "Open the chat that was interrupted", "chat", priority=True),
    Key("export", "f4", "export", "Write this chat to a file", "chat", priority=True),
    Key("model", "ctrl+o", "choose_model", "Choose the model", "chat", priority=True),
    Key("think", "ctrl+t", "toggle_think", "Thinking: default, on, off", "chat", priority=True),
    Key("stop", "escape", "stop", "Stop the reply and keep what came", "chat"),
    Key("interrupt", "ctrl+c", "interrupt", "Copy, stop the reply, or clear the line", "chat", priority=True),
    Key("fold", "ctrl+r", "fold", "Fold or unfold thinking, or code at the cursor", "chat", priority=True),
    Key("copy_answer", "ctrl+y", "copy_answer", "Copy the last answer", "chat", priority=True),
    Key("search", "ctrl+f", "search", "Search in this chat", "chat", priority=True),
    Key("preview", "ctrl+p", "preview", "What the next request holds", "chat", priority=True),
    Key("neutralise", "f8", "neutralise", "Make control tokens in the text plain", "chat", priority=True),
    Key("regenerate_last", "f5", "regenerate_last", "Ask again for the last answer", "chat", priority=True),
    Key("continue", "f6", "continue", "Let the last reply go on where it ended", "chat", priority=True),
    Key("memory", "f7", "memory", "Load, keep or unload the model", "chat", priority=True),
    Key("persona", "f9", "persona", "Choose who the model is: the personas", "chat", priority=True),
    Key("theme", "f10", "theme", "Choose the colours: the themes", "chat", priority=True),
    Key("settings", "f11,ctrl+comma", "settings", "The settings", "chat", priority=True),
    Key("compare", "f12", "compare", "One prompt to two personas, side by side", "chat", priority=True),
    Key("page_up", "pageup", "page_up", "A page up", "chat", priority=True),
    Key("page_down", "pagedown", "page_down", "A page down", "chat", priority=True),
    Key("to_top", "ctrl+home", "to_top", "To the beginning", "chat", priority=True),
    Key("to_end", "ctrl+end", "to_end", "To the end, and follow it", "chat", priority=True),
    Key("send", "enter", "send", "Send; in an empty composer: send what is held", "composer"),
    Key("newline", "ctrl+j,alt+enter,shift+enter", "newline", "New line", "composer"),
    Key("history", "up", "cursor_up", "In an empty composer: what waits, or the last prompts", "composer"),
    Key("read", "tab", "read", "Read the chat with the keys below", "composer"),
    Key("editor", "ctrl+g", "editor", "Write in $EDITOR", "composer"),
    Key("undo", "ctrl+underscore", "undo", "Undo", "composer"),
    Key("leave", "ctrl+d", "leave", "Quit, in an empty composer", "composer"),
    Key("completion_take", "tab", "take_completion", "Take the chosen one", "completion"),
    Key("completion_accept", "enter", "accept_completion", "Take it; send what is complete", "completion"),
    Key("completion_down", "down", "move_completion(1)", "Down", "completion"),
    Key("completion_up", "up", "move_completion(-1)", "Up", "completion"),
    Key("completion_close", "escape", "refuse_completion", "Close the list", "completion"),
    Key("write", "i,tab", "screen.write", "Back to the composer", "transcript"),
    Key("down", "j", "scroll_down", "Down", "transcript"),
    Key("up", "k", "scroll_up", "Up", "transcript"),
    Key("left", "h", "scroll_left", "Left, while selecting", "transcript"),
    Key("right", "l", "scroll_right", "Right, while selecting", "transcript"),
    Key("top", "g", "scroll_home", "To the beginning", "transcript"),
    Key("end", "G", "scroll_end", "To the end, and follow it", "transcript"),
    Key("next_message", "J,right_square_bracket", "next_message", "Next message", "transcript"),
    Key("previous_message", "K,left_square_bracket", "previous_message", "Message before", "transcript"),
    Key("next_block", "right_curly_bracket", "next_block", "Next code block", "transcript"),
    Key("previous_block", "left_curly_bracket", "previous_block", "Code block before", "transcript"),
    Key("toggle_fold", "space,z", "toggle_fold", "Fold or unfold", "transcript"),
    Key("copy_message", "y", "copy", "Copy the selection, else the message", "transcript"),
    Key("copy_block", "c", "copy_block", "Copy the code block", "transcript"),
    Key("select_lines", "V", "select_lines", "Select lines", "transcript"),
    Key("select_characters", "v", "select_characters", "Select characters", "transcript"),
    Key("pin", "p", "pin", "Pin the round: it is always sent", "transcript"),
    Key("edit", "e", "screen.edit", "Edit your message, or the last answer, and send it", "transcript"),
    Key("regenerate", "r", "screen.regenerate", "Ask again for the answer", "transcript"),
    Key("version_before", "less_than_sign", "screen.version(-1)", "The version before", "transcript"),
    Key("version_after", "greater_than_sign", "screen.version(1)", "The version after", "transcript"),
    Key("delete_round", "d", "screen.delete_round", "Delete the round", "transcript"),
    Key("delete_reply", "D", "screen.delete_reply", "Delete the answer alone", "transcript"),
    Key("undelete", "u", "screen.undelete", "Bring back what was deleted last", "transcript"),
    Key("quote", "Q", "screen.quote", "Quote the selection, else the message", "transcript"),
    Key("pager", "o", "page_message", "The message in $PAGER", "transcript"),
    Key("slash", "slash", "screen.search", "Search", "transcript"),
    Key("help_reading", "question_mark", "screen.help", "Keys and commands, where they work", "transcript"),
    Key("actions_reading", "colon", "screen.all_actions", "All actions: find one", "transcript"),
    Key("search_next", "n", "search_next", "Next match", "transcript"),
    Key("search_previous", "N", "search_previous", "Match before", "transcript"),
    Key("open_chat", "enter", "open", "Open the chat, at the match", "sessions"),
    Key("filter", "slash,ctrl+f", "screen.filter", "Filter: words, #tags; then what was said", "sessions"),
    Key("rename_chat", "r,f2,ctrl+r", "screen.rename", "Rename", "sessions"),
    Key("delete_chat", "d,delete", "screen.delete", "Delete", "sessions"),
    Key("restore_chat", "u", "screen.restore", "Bring back what was deleted last", "sessions"),
    Key("pin_chat", "p", "screen.pin", "Keep on top, or no longer", "sessions"),
    Key("tag_chat", "t", "screen.tag", "Tag", "sessions"),
    Key("export_chat", "e,f4", "screen.export", "Write the chat to a file", "sessions"),
    Key("cancel_waiting", "x", "screen.cancel_waiting", "Take the waiting prompts back", "sessions"),
    Key("new_listed", "n,ctrl+n", "screen.new_chat", "New chat", "sessions"),
    Key("help_listed", "f1,question_mark", "screen.help", "Keys and commands, where they work", "sessions"),
    Key("actions_listed", "ctrl+l,colon", "screen.all_actions", "All actions: find one", "sessions"),
    Key("row_down", "j,down", "move(1)", "Down", "sessions"),
    Key("row_up", "k,up", "move(-1)", "Up", "sessions"),
    Key("rows_down", "pagedown", "move_page(1)", "A page down", "sessions"),
    Key("rows_up", "pageup", "move_page(-1)", "A page up", "sessions"),
    Key("first_row", "g,home", "move_to(0)", "To the first", "sessions"),
    Key("last_row", "G,end", "move_to(-1)", "To the last", "sessions"),
    Key("close_sessions", "q,escape,ctrl+s", "screen.back", "Back to the chat", "sessions"),
    Key("filter_open", "enter", "screen.open", "Open the chat, at the match", "filter"),
    Key("filter_down", "down", "screen.move(1)", "Down", "filter"),
    Key("filter_up", "up", "screen.move(-1)", "Up", "filter"),
    Key(
        "filter_close",
        "escape,tab",
        "screen.leave_filter",
        "To the list; from an empty filter, too",
        "filter",
    ),
    # All of them are priorities, so that they act in the order in which they are pressed, and before what is
    # typed behind them is given to anyone.
    Key("edit_setting", "enter", "screen.open", "Change the value", "settings", priority=True),
    Key("default_setting", "d,delete", "screen.default", "Back to the default", "settings", priority=True),
    Key("all_settings", "a", "screen.toggle_all", "All keys, or the usual ones", "settings", priority=True),
    Key(
        "filter_settings",
        "slash,ctrl+f",
        "screen.filter",
        "Filter: words of keys and what they mean",
        "settings",
        priority=True,
    ),
    Key("setting_down", "j,down", "cursor_down", "Down", "settings", priority=True),
    Key("setting_up", "k,up", "cursor_up", "Up", "settings", priority=True),
    Key("settings_down", "pagedown", "page_down", "A page down", "settings", priority=True),
    Key("settings_up", "pageup", "page_up", "A page up", "settings", priority=True),
    Key("first_setting", "g,home", "first", "To the first", "settings", priority=True),
    Key("last_setting", "G,end", "last", "To the last", "settings", priority=True),
    Key(
        "close_settings",
        "q,escape,f11,ctrl+comma",
        "screen.back",
        "Back to the chat",
        "settings",
        priority=True,
    ),
    Key("other_side", "tab", "screen.other", "The other answer", "compare"),
    Key(
        "take_side",
        "enter",
        "screen.take",
        "Go on in the chat with this answer",
        "compare",
        priority=True,
    ),
    Key("compare_again", "r", "screen.again", "Ask both again", "compare"),
    Key("compare_swapped", "x", "screen.swap", "Ask both again, in the other order", "compare"),
    Key("compare_rounds", "h", "screen.rounds", "Ask again, with or without this chat's rounds", "compare"),
    Key("compare_next", "n", "screen.go_on", "Ask the one that Escape held back", "compare"),
    Key("side_down", "j", "scroll_down", "Down", "compare"),
    Key("side_up", "k", "scroll_up", "Up", "compare"),
    Key("side_top", "g", "scroll_home", "To the beginning", "compare"),
    Key("side_end", "G", "scroll_end", "To the end, and follow it", "compare"),
    Key("side_fold", "space,z", "toggle_fold", "Fold or unfold the thinking", "compare"),
    Key("side_copy", "y", "copy_answer", "Copy the answer", "compare"),
    Key(
        "leave_compare",
        "escape",
        "screen.leave",
        "Stop the one that runs; else back",
        "compare",
        priority=True,
    ),
)

"""What can be typed instead of a key: a text that is exactly one of these names is obeyed, not sent."""

from __future__ import annotations

COMMANDS = {
    "/sessions": "sessions",
    "/new": "new_chat",
    "/model": "choose_model",
    "/persona": "persona",
    "/compare": "compare",
    "/export": "export",
    "/help": "help",
    "/quit": "app.quit",
}
"""The actions of the chat screen, by the names of their commands."""

"""A Modelfile as Ollama's own command line reads it (`parser/parser.go`): commands with their lines.

The server knows no Modelfile: whoever creates a model reads it, and sends JSON. A value ends with its line,
unless it begins with a quotation mark or three; then it goes on until they close.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, NamedTuple

from qwentui.chat.errors import ModelFileError
from qwentui.chat.sanitize import sanitize_line
from qwentui.language import _

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMANDS = (
    "FROM",
    "PARAMETER",
    "TEMPLATE",
    "SYSTEM",
    "ADAPTER",
    "LICENSE",
    "MESSAGE",
    "RENDERER",
    "PARSER",
    "REQUIRES",
    "DRAFT",
)

_ROLES = ("system", "user", "assistant")
_WORD = re.compile(r"[ \t]*(\S+)[ \t]*")
_SIZE_LIMIT = 4 << 20


class Command(NamedTuple):
    """One command: `key` is a parameter's name or a message's role, "" for the others."""

    line: int
    name: str
    key: str
    value: str


def read_modelfile(path: Path) -> tuple[Command, ...]:
    """The commands of a file.

    Raises:
        ModelFileError: It cannot be read, or a line is no command.
    """
    name = sanitize_line(str(path))
    try:
        with path.open("rb") as file:
            data = file.read(_SIZE_LIMIT + 1)
    except FileNotFoundError as error:
        raise ModelFileError(_("There is no file {path}.").format(path=name), _("Check the path.")) from error
    except OSError as error:
        raise ModelFileError(
            _("{path} cannot be read: {reason}.").format(path=name, reason=error.strerror or error)
        ) from error
    if len(data) > _SIZE_LIMIT or data.startswith(b"GGUF"):
        raise ModelFileError(
            _("{path} is no Modelfile.").format(path=name),
            _("A GGUF file is named by --from: qwentui model create NAME --from FILE"),
        )
    return parse_modelfile(_decoded(data), name)


def _decoded(data: bytes) -> str:
    """UTF-8, unless a byte order mark says otherwise."""
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    return data.decode("utf-8-sig", "replace")


def parse_modelfile(text: str, name: str = "Modelfile") -> tuple[Command, ...]:
    """The commands of a Modelfile's text.

    Args:
        text: The text.
        name: What a user calls it.

    Raises:
        ModelFileError: A line is no command, a quotation is not closed, or no model is named.
    """
    commands = tuple(_commands(text.replace("\r\n", "\n").replace("\r", "\n"), name))
    if not any(command.name == "FROM" for command in commands):
        raise ModelFileError(
            _("{path} names no model.").format(path=name),
            _("Its first line is FROM, with a GGUF file or a model of the server."),
        )
    return commands


def _commands(text: str, name: str) -> Iterator[Command]:
    lines = text.split("\n")
    number = 0
    while number < len(lines):
        line = lines[number].lstrip()
        start, number = number + 1, number + 1
        if not line or line.startswith("#"):
            continue
        place = _("{file}, line {line}").format(file=name, line=start)
        word, key, rest = _split(line, place)
        value = _unquoted(rest)
        while value is None and number < len(lines):
            rest += "\n" + lines[number]
            number += 1
            value = _unquoted(rest)
        if value is None:
            raise ModelFileError(
                _("{place}: the quotation is never closed.").format(place=place),
                _("Text of several lines stands between three quotation marks and three."),
            )
        yield Command(start, word, key, value)


def _split(line: str, place: str) -> tuple[str, str, str]:
    """The command's name, its key, and the rest of the line.

    Raises:
        ModelFileError: It is no command, or one without a value.
    """
    word, rest = _first_word(line)
    name = word.upper()
    if name not in COMMANDS:
        sentence = _("{place}: {word!r} is no command.").format(place=place, word=sanitize_line(word))
        raise ModelFileError(sentence, _near_command(name))
    key = ""
    if name in ("PARAMETER", "MESSAGE"):
        key, rest = _first_word(rest)
        key = key.lower()
        if name == "MESSAGE" and key not in _ROLES:
            raise ModelFileError(
                _("{place}: {word!r} is no role.").format(place=place, word=sanitize_line(key)),
                _("The roles are {roles}.").format(roles=", ".join(_ROLES)),
            )
    if not rest.strip():
        sentence = _("{place}: {command} has no value.").format(place=place, command=name)
        raise ModelFileError(sentence, _("Give it one, or remove the line."))
    return name, key, rest


def _first_word(text: str) -> tuple[str, str]:
    found = _WORD.match(text)
    return (found[1], text[found.end() :]) if found else ("", "")


def _near_command(word: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, COMMANDS, 1)
    if near:
        return _("Is {name} meant?").format(name=near[0])
    return _("The commands are {commands}; a comment begins with #.").format(commands=", ".join(COMMANDS))


def _unquoted(text: str) -> str | None:
    """The value without its quotation marks; None while they are not closed. There are no escapes."""
    text = text.strip()
    for mark in ('"""', '"'):
        if text.startswith(mark):
            closed = len(text) >= 2 * len(mark) and text.endswith(mark)
            return text[len(mark) : -len(mark)] if closed else None
    return text

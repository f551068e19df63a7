"""Files that go along with what a user says.

The text of a file stands behind the user's own in a fenced block, whose first line names the language and the
file. The fence is longer than any run of backticks inside, so whatever the file holds, it ends where it ends.
`Message.parts` keep which characters are such blocks: what the user wrote can be taken up again without them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from qwentui.chat.message import Message, Part, Role

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qwentui.chat.image import Image

SOURCE = "file: "
"""What the source of a part begins with that is an attached file."""

_GAP = "\n\n"
_BACKTICKS = re.compile("`{3,}")
_OPENING = re.compile(r"(`{3,})[^`\n]*\n")
_LANGUAGES = {
    "bash": "bash", "c": "c", "cc": "cpp", "cpp": "cpp", "cs": "csharp", "css": "css", "csv": "csv",
    "diff": "diff", "go": "go", "h": "c", "hpp": "cpp", "htm": "html", "html": "html", "ini": "ini",
    "ipynb": "json", "java": "java", "js": "javascript", "json": "json", "jsonl": "json", "jsx": "jsx",
    "kt": "kotlin", "lua": "lua", "md": "markdown", "patch": "diff", "php": "php", "pl": "perl",
    "ps1": "powershell", "py": "python", "r": "r", "rb": "ruby", "rs": "rust", "rst": "rst",
    "scala": "scala", "sh": "bash", "sql": "sql", "swift": "swift", "tex": "latex", "toml": "toml",
    "ts": "typescript", "tsx": "tsx", "vue": "vue", "xml": "xml", "yaml": "yaml", "yml": "yaml", "zsh": "zsh",
}  # fmt: skip
_PLAIN = "text"


@dataclass(frozen=True, slots=True)
class TextFile:
    """The text of a file, sanitized; `removed` counts the characters that this took out or made visible."""

    name: str
    text: str
    removed: int = 0

    @property
    def lines(self) -> int:
        """How many lines it has."""
        return self.text.count("\n") + (not self.text.endswith("\n") and self.text != "")

    @property
    def block(self) -> str:
        """The fenced block that a model reads; a newline ends the text if it has none of its own."""
        longest = max((len(run) for run in _BACKTICKS.findall(self.text)), default=2)
        fence = "`" * (longest + 1)
        ended = self.text if self.text.endswith("\n") or not self.text else f"{self.text}\n"
        # No backtick may stand behind an opening fence.
        name = self.name.replace("`", "'")
        return f"{fence}{_language(self.name)} {name}\n{ended}{fence}"


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A file that is an image."""

    name: str
    image: Image


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that cannot go along; `reason` says why in a sentence, `missing` that there is no such file."""

    name: str
    reason: str
    missing: bool = False


Attachment = TextFile | ImageFile | Refusal
"""What became of a path that a user named."""


class Block(NamedTuple):
    """An attached file as it stands in a message: characters `start` to `end` are the block around `text`."""

    name: str
    text: str
    start: int
    end: int


def composed(text: str, attachments: Iterable[Attachment]) -> Message:
    """The user's message: `text`, the blocks of its text files, its images. What is refused is left out."""
    pieces = [text] if text else []
    length, parts, images = len(text), [], []
    for attachment in attachments:
        match attachment:
            case TextFile(name=name, block=block):
                start = length + len(_GAP) * bool(pieces)
                length = start + len(block)
                pieces.append(block)
                parts.append(Part(SOURCE + name, start, length))
            case ImageFile(image=image):
                images.append(image)
    return Message(Role.USER, _GAP.join(pieces), images=tuple(images), parts=tuple(parts))


def said(message: Message) -> str:
    """What the user wrote, without the files."""
    blocks = _file_parts(message)
    return message.content[: blocks[0].start].removesuffix(_GAP) if blocks else message.content


def blocks_of(message: Message) -> tuple[Block, ...]:
    """The files in a message, each with its text; none where the parts do not fit the content."""
    return tuple(
        Block(part.source.removeprefix(SOURCE), _inside(block) or "", part.start, part.end)
        for part in _file_parts(message)
        for block in (message.content[part.start : part.end],)
    )


def or_kept(attachments: Iterable[Attachment], message: Message) -> tuple[Attachment, ...]:
    """`attachments`, in which files that are not there any more are as `message` has them."""
    kept = {block.name: TextFile(block.name, block.text) for block in blocks_of(message)}
    return tuple(
        kept.get(found.name, found) if isinstance(found, Refusal) and found.missing else found
        for found in attachments
    )


def _file_parts(message: Message) -> list[Part]:
    """The parts that are attached files: blocks one behind the other, up to the end of the content.

    Parts of an imported message may be anything.
    """
    parts = [part for part in message.parts if part.source.startswith(SOURCE)]
    end = len(message.content)
    for part in reversed(parts):
        whole = 0 <= part.start < part.end == end
        if not whole or _inside(message.content[part.start : part.end]) is None:
            return []
        end = part.start - len(_GAP)
    return parts


def _inside(block: str) -> str | None:
    """What stands in a fenced block; None where it is none."""
    opening = _OPENING.match(block)
    if opening is None or not block.endswith(opening[1], opening.end()):
        return None
    return block[opening.end() : -len(opening[1])]


def _language(name: str) -> str:
    """What the fence says of the language, by the file's suffix."""
    return _LANGUAGES.get(name.rpartition(".")[2].lower(), _PLAIN)

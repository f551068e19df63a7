"""What is said about the files of a draft: what they take, and what to know before they are sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwentui.backends.choice import short_name
from qwentui.chat.attachment import ImageFile, Refusal, TextFile
from qwentui.language import _, ngettext
from qwentui.tui import phrases

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwentui.chat.attachment import Attachment
    from qwentui.counting.count import Count
    from qwentui.counting.counter import PromptCounter
    from qwentui.session import ChatSession

_MOST_REFUSALS = 3
"""Files that are told about one by one: pasted code may name many."""


def lines_of(attachments: Sequence[Attachment], session: ChatSession | None) -> list[tuple[str, bool]]:
    """A line for each file, with whether it goes along.

    One that is not there may only be half typed, and is not told about before the text is sent.
    """
    lines = []
    for attachment in attachments:
        match attachment:
            case TextFile():
                count = None if session is None else session.planner.counter.of_text(attachment.block)
                lines.append((_text_line(attachment, count), True))
            case ImageFile():
                lines.append(_image_line(attachment, session))
            case Refusal(reason=reason, missing=False):
                lines.append((reason, False))
    return lines


def _text_line(file: TextFile, count: Count | None) -> str:
    facts = [file.name, ngettext("{n:,} line", "{n:,} lines", file.lines).format(n=file.lines)]
    if count is not None:
        about = "" if count.exact else "~"
        tokens = ngettext("{about}{n:,} token", "{about}{n:,} tokens", count.tokens)
        facts.append(tokens.format(about=about, n=count.tokens))
    if file.removed:
        removed = ngettext(
            "{n:,} control character made visible or removed",
            "{n:,} control characters made visible or removed",
            file.removed,
        )
        facts.append(removed.format(n=file.removed))
    return " · ".join(facts)


def _image_line(file: ImageFile, session: ChatSession | None) -> tuple[str, bool]:
    image = file.image
    facts = [file.name] + ([f"{image.width}×{image.height}"] if image.width else [])
    if session is None or session.model.can_see:
        return " · ".join([*facts, _("sent as an image")]), True
    blind = _("{model} cannot see images").format(model=short_name(session.model.name))
    return " · ".join([*facts, blind]), False


def warnings(
    text: str, attachments: Sequence[Attachment], counter: PromptCounter | None, plain: str
) -> list[str]:
    """What the user should know before `text` is sent with its files; each has to be sent once more then.

    `plain` is the key that makes control tokens plain, as it is spoken.
    """
    refusals = [found.reason for found in attachments if isinstance(found, Refusal)]
    told = [
        _("{reason} Enter sends the text as it is.").format(reason=reason)
        for reason in refusals[:_MOST_REFUSALS]
    ]
    if left := len(refusals[_MOST_REFUSALS:]):
        more = ngettext("{n} more file cannot go along.", "{n} more files cannot go along.", left)
        told.append(more.format(n=left))
    if counter is None:
        return told
    if control := counter.control_tokens(text):
        told.append(phrases.control_tokens(control, plain))
    told.extend(
        phrases.control_tokens_in(found.name, control)
        for found in attachments
        if isinstance(found, TextFile) and (control := counter.control_tokens(found.text))
    )
    return told

"""The number of prompt tokens of the messages that are about to be sent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from qwentui.chat.message import Role
from qwentui.counting.count import Count
from qwentui.counting.estimate import MESSAGE_OVERHEAD, REPLY_OVERHEAD, estimated, image_tokens
from qwentui.counting.template import (
    ChatMLTemplate,
    Preamble,
    Prompt,
    PromptTemplate,
    TemplateRefusal,
    template_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qwentui.chat.message import Message
    from qwentui.counting.vocabulary import Vocabulary

_LARGE = 8_192
_HELD = 8_000_000
_CUT = 0.75
_TRUST = (0.2, 5.0)
_CHATML_CONTROL = re.compile(r"<\|(?:im_start|im_end|endoftext)\|>")


@dataclass(frozen=True, slots=True)
class Difference:
    """The server counted `reported` tokens in a prompt that was counted as exactly `predicted` here."""

    predicted: int
    reported: int

    @property
    def likely_cut(self) -> bool:
        """Whether so much is missing that the server must have cut the prompt."""
        return self.reported < _CUT * self.predicted


def counts_like_llama_cpp(version: str | None) -> bool:
    """Whether an Ollama of this `/api/version` counts with llama.cpp: 0.30 and later.

    Before, models such as Qwen3 had a tokenizer of Ollama's own, which cuts ideographic spaces and some
    runs of equal characters in another way.
    """
    match = re.match(r"v?(\d+)\.(\d+)", version or "")
    return match is not None and (int(match[1]), int(match[2])) >= (0, 30)


class PromptCounter:
    """Counts prompts for one model on one server.

    The prompt is rendered as a whole each time, which is cheap, and cut at its special tokens, across which
    no token reaches; the count of each piece is kept, so that after a keystroke only the piece that holds
    the new text is counted again. All methods may be called from any thread.
    """

    def __init__(
        self,
        vocabulary: Vocabulary | None = None,
        template: PromptTemplate | None = None,
        preamble: Preamble | None = None,
        *,
        trusted: bool = False,
    ) -> None:
        """Without a `vocabulary` every count is an estimate; no count is exact unless `trusted`."""
        self._vocabulary = vocabulary
        self._template = template or ChatMLTemplate(exact=False)
        self._preamble = preamble or Preamble()
        self._trusted = trusted
        self._factor = 1.0
        self._kept: dict[str, Count] = {}
        self._held = 0

    @classmethod
    def of_model(
        cls, show: Mapping[str, object], vocabulary: Vocabulary | None, version: str | None
    ) -> PromptCounter:
        """A counter by the model's `/api/show` answer (it need not be verbose) and the server's version."""
        preamble = Preamble.of(show)
        if vocabulary is None:
            return cls(preamble=preamble)
        try:
            template = template_of(show, vocabulary)
        except TemplateRefusal:
            template = ChatMLTemplate(exact=False)
        return cls(vocabulary, template, preamble, trusted=counts_like_llama_cpp(version))

    def count(self, messages: Sequence[Message], *, think: bool) -> Count:
        """The tokens of the prompt that the server makes of `messages`, the opening of the reply included.

        `think` is the request's field; a request without it thinks, if the model can. The first count of a
        long conversation takes some 1 ms per 1,000 tokens, and belongs in a thread.
        """
        count = self._calibrated(self._counted(messages, think=think))
        images = [image for message in messages for image in message.images]
        return Count(count.tokens + image_tokens(images), exact=False) if images else count

    def of_each(self, messages: Sequence[Message], *, think: bool) -> tuple[int, ...]:
        """How many of the prompt's tokens belong to each message, role and control tokens included.

        What belongs to none (the Modelfile's own messages, the opening of the reply) is not in the sum. A
        text that the template moves or joins to another counts with the message beside which it stands.
        """
        whole = self._preamble.before(messages)
        added = len(whole) - len(messages)
        if self._vocabulary is None:
            counts = [Count(round(self._estimate(message)), exact=False) for message in whole]
        else:
            text = sendable(self._prompt(whole, think=think).text)
            borders = _borders(text, whole, self._vocabulary)
            counts = [
                self._piecewise(text[start:end], self._vocabulary) for start, end in pairwise([0, *borders])
            ]
        seen = (image_tokens(message.images) for message in messages)
        return tuple(
            self._calibrated(count).tokens + pixels
            for count, pixels in zip(counts[added:], seen, strict=True)
        )

    def of_text(self, text: str) -> Count:
        """The tokens of a text that is a part of a message."""
        if self._vocabulary is None:
            return self._calibrated(Count(round(estimated(text)), exact=False))
        count = self._piecewise(sendable(text), self._vocabulary)
        return self._calibrated(Count(count.tokens, exact=count.exact and self._trusted))

    @property
    def knows_template(self) -> bool:
        """Whether `continues` knows the answer; without a vocabulary it does not."""
        return self._vocabulary is not None

    def continues(self, messages: Sequence[Message], *, think: bool) -> bool:
        """Whether a reply to `messages` would go on from the last one, the assistant's unfinished text.

        It does when the rendered prompt ends with that text: the template leaves the turn open.
        """
        partial = sendable(messages[-1].content) if messages else ""
        if not partial or self._vocabulary is None:
            return False
        return sendable(self._prompt(self._preamble.before(messages), think=think).text).endswith(partial)

    def is_large(self, text: str) -> bool:
        """Whether counting `text` may take longer than a key may wait, and belongs in a thread."""
        return len(text) > _LARGE

    def control_tokens(self, text: str) -> tuple[str, ...]:
        """The control tokens in `text`, each once: the model would obey them instead of reading them."""
        if self._vocabulary is None:
            return tuple(dict.fromkeys(_CHATML_CONTROL.findall(text)))
        return self._vocabulary.control_tokens(text)

    def neutralise(self, text: str) -> str:
        """`text` with its control tokens made plain text by U+200B after their first character."""
        if self._vocabulary is None:
            return _CHATML_CONTROL.sub(lambda match: f"<\u200b{match[0][1:]}", text)
        return self._vocabulary.neutralise(text)

    def reconcile(self, predicted: Count, prompt_eval_count: int | None) -> Difference | None:
        """Learn from what the server counted (`prompt_eval_count`, which an answer may lack).

        The first difference is returned; from then on counts are about and follow the server's numbers. A
        prompt that the server seems to have cut teaches nothing about counting, and is told each time.
        """
        if not prompt_eval_count or not predicted.tokens or prompt_eval_count == predicted.tokens:
            return None
        difference = Difference(predicted.tokens, prompt_eval_count) if predicted.exact else None
        if difference is None or not difference.likely_cut:
            lowest, highest = _TRUST
            factor = self._factor * prompt_eval_count / predicted.tokens
            self._factor = min(max(factor, lowest), highest)
            self._trusted = False
        return difference

    def _calibrated(self, count: Count) -> Count:
        return count if count.exact else Count(round(count.tokens * self._factor), exact=False)

    def _counted(self, messages: Sequence[Message], *, think: bool) -> Count:
        whole = self._preamble.before(messages)
        if self._vocabulary is None:
            return Count(round(sum(map(self._estimate, whole)) + REPLY_OVERHEAD), exact=False)
        prompt = self._prompt(whole, think=think)
        count = self._piecewise(sendable(prompt.text), self._vocabulary)
        tokens = count.tokens + self._vocabulary.adds_bos
        return Count(tokens, exact=count.exact and prompt.exact and self._trusted)

    def _prompt(self, whole: Sequence[Message], *, think: bool) -> Prompt:
        try:
            return self._template.render(whole, think=think)
        except TemplateRefusal:
            return ChatMLTemplate(exact=False).render(whole, think=think)

    def _estimate(self, message: Message) -> float:
        return MESSAGE_OVERHEAD + estimated(message.content)

    def _piecewise(self, text: str, vocabulary: Vocabulary) -> Count:
        """The count of rendered text, piece by piece, from what is kept where possible."""
        pieces = vocabulary.cut(text)
        tokens, exact = len(pieces) // 2, True
        for piece in pieces[::2]:
            if piece:
                count = self._kept.get(piece) or self._keep(piece, vocabulary.count(piece))
                tokens += count.tokens
                exact = exact and count.exact
        return Count(tokens, exact)

    def _keep(self, piece: str, count: Count) -> Count:
        # Each keystroke leaves a piece behind that no later prompt holds.
        if self._held > _HELD:
            self._kept = {}
            self._held = 0
        self._kept[piece] = count
        self._held += len(piece)
        return count


def sendable(text: str) -> str:
    """`text` as it survives the way to a model: without NUL, lone surrogates as U+FFFD.

    What is sent must be passed through here too: some versions of llama.cpp end a text at NUL, and JSON
    has no lone surrogates.
    """
    text = text.replace("\0", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _borders(text: str, messages: Sequence[Message], vocabulary: Vocabulary) -> list[int]:
    """Where each message ends in the rendered `text`, behind the control token that closes it.

    Templates trim contents and cut thoughts from the assistant's, so what is left is looked for.
    """
    pieces = vocabulary.cut(text)
    ends = []
    place = 0
    for piece in pieces:
        place += len(piece)
        ends.append(place)
    borders: list[int] = []
    reached = 0
    for message in messages:
        content = sendable(message.content)
        said = (
            content.rpartition("</think>")[2].strip() if message.role is Role.ASSISTANT else content.strip()
        )
        found = text.find(said, reached) if said else -1
        if found >= 0:
            reached = _closed(found + len(said), pieces, ends)
        borders.append(reached)
    return borders


def _closed(place: int, pieces: Sequence[str], ends: Sequence[int]) -> int:
    """The end of the next special token from `place` on, and of the blank text behind it."""
    for index in range(1, len(pieces), 2):
        if ends[index - 1] >= place:
            blank = not pieces[index + 1].strip()
            return ends[index + 1] if blank else ends[index]
    return ends[-1]

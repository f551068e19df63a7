"""What of a conversation goes into the next request, and how many tokens that has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qwentui.chat.context import Fit, TrimPolicy, fit
from qwentui.chat.errors import PromptTooLong
from qwentui.counting.count import Count
from qwentui.language import _

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from qwentui.chat.conversation import Conversation
    from qwentui.chat.message import Message
    from qwentui.counting.counter import PromptCounter

_REPLANS = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """One request, before it is made.

    Attributes:
        messages: What is sent, in order.
        count: The tokens of the prompt.
        left_out: The numbers of the turns that are not sent.
        border: The number of the first turn behind everything left out, None if nothing is.
        fit: How the rule came to it; places are those of `Conversation.placed`.
    """

    messages: tuple[Message, ...]
    count: Count
    left_out: tuple[int, ...]
    border: int | None
    fit: Fit

    @property
    def has_images(self) -> bool:
        """Whether the count holds a guess that no text explains."""
        return any(message.images for message in self.messages)

    def check(self) -> None:
        """Make sure that something can be sent.

        Raises:
            PromptTooLong: Not even the last message fits.
        """
        if self.fit.too_long:
            raise PromptTooLong(
                _("With what must go along, that has {tokens:,} tokens; {limit:,} fit.").format(
                    tokens=self.fit.tokens, limit=self.fit.limit
                ),
                _("Shorten it, or raise context.budget and model.num_ctx."),
            )


class Planner:
    """Plans requests for one model.

    Args:
        policy: The rule by which rounds leave, as the settings have it.
        counter: Counts prompts; it may be replaced by a better one at any time.

    Attributes:
        policy: The rule for the model in use, whose context may be smaller.
        wanted: The context that is asked for where the model takes as much, in tokens.
    """

    def __init__(self, policy: TrimPolicy, counter: PromptCounter) -> None:
        self.policy = policy
        self.counter = counter
        self.wanted = policy.num_ctx

    def fit_model(self, context_length: int | None) -> None:
        """Keep to a model that takes at most `context_length` tokens, None where that is not known."""
        num_ctx = min(self.wanted, context_length or self.wanted)
        self.policy = replace(self.policy, num_ctx=num_ctx)

    def want(self, num_ctx: int, context_length: int | None) -> None:
        """Plan for a context of `num_ctx` tokens from now on, or for as much of it as the model takes."""
        self.adopt(replace(self.policy, num_ctx=num_ctx), context_length)

    def adopt(self, policy: TrimPolicy, context_length: int | None) -> None:
        """Plan by another rule from now on, with as much of its context as the model takes."""
        self.policy, self.wanted = policy, policy.num_ctx
        self.fit_model(context_length)

    def fresh(self) -> Planner:
        """A planner like this one, for a session that may come to have another model."""
        return Planner(replace(self.policy, num_ctx=self.wanted), self.counter)

    def plan(self, conversation: Conversation, *, think: bool) -> Plan:
        """The next request for `conversation`."""
        placed = list(conversation.placed())
        messages = [message for _, message in placed]
        turns = [turn for turn, _ in placed]
        pinned = {
            place for place, turn in enumerate(turns) if turn is not None and conversation.turns[turn].pinned
        }

        def tokens(chosen: Sequence[Message]) -> int:
            return self.counter.count(chosen, think=think).tokens

        result = fit(messages, self.policy, tokens, pinned)
        sent = tuple(messages[place] for place in result.sent)
        left_out = tuple(sorted({turn for place in result.left_out if (turn := turns[place]) is not None}))
        return Plan(
            messages=sent,
            count=self.counter.count(sent or messages, think=think),
            left_out=left_out,
            border=left_out[-1] + 1 if left_out else None,
            fit=result,
        )

    def narrowed(self, limit: int) -> Planner:
        """A planner for prompts of at most `limit` tokens: the server has less room than was thought."""
        return Planner(replace(self.policy, budget=max(1, min(limit, self.policy.limit - 1))), self.counter)

    def to_the_end(self) -> Planner:
        """A planner for prompts that end with the beginning of their reply, whose room is theirs."""
        return Planner(replace(self.policy, budget=self.policy.num_ctx, reply_room=1), self.counter)

    async def verified(
        self,
        plan: Plan,
        conversation: Conversation,
        *,
        think: bool,
        count: Callable[[Plan], Awaitable[int | None]],
    ) -> Plan:
        """`plan` as the server counts it, or a shorter one where its number is over the limit.

        Each number calibrates the counter. At most three shorter plans are asked about, the last of them
        with the least that can be sent; that one too decides whether what was estimated as too long is.

        Args:
            plan: What `plan` gave for `conversation`.
            conversation: What is to be sent of.
            think: The request's field.
            count: Asks the server for the prompt tokens of a plan's messages; None where it does not tell.

        Returns:
            A plan with an exact count within the limit, or one that is too long by the server's number. When
            `count` gives None, the newest plan by the counter's own numbers; with images the one given.
        """
        if plan.has_images:
            # Megabytes would go out at every pause of the typing, and what comes back leaves them out.
            return plan
        for left in range(_REPLANS, -1, -1):
            least = plan.fit.too_long or not left
            asked = self._least(conversation, think=think) if least else plan
            tokens = await count(asked)
            if tokens is None:
                break
            self.counter.reconcile(asked.count, tokens)
            if tokens <= self.policy.limit:
                return self._counted(asked, tokens)
            if least:
                return self._counted(self.narrowed(1).plan(conversation, think=think), tokens)
            # The counter's number for what was asked is the server's, unless it could not be calibrated so
            # far; as many tokens below it as the server wants less, the plan is shorter in either case.
            own = self.counter.count(asked.messages, think=think).tokens
            plan = self.narrowed(own - (tokens - self.policy.limit)).plan(conversation, think=think)
        return plan

    def _least(self, conversation: Conversation, *, think: bool) -> Plan:
        """What must go along with the last message, whatever its length."""
        needed = self.narrowed(1).plan(conversation, think=think).fit.tokens
        policy = replace(self.policy, budget=needed, num_ctx=needed + self.policy.reply_room)
        return Planner(policy, self.counter).plan(conversation, think=think)

    def _counted(self, plan: Plan, tokens: int) -> Plan:
        """`plan` with the server's number in place of the counter's."""
        counted = replace(plan.fit, tokens=tokens, limit=self.policy.limit)
        return replace(plan, count=Count(tokens, exact=True), fit=counted)

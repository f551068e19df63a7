from __future__ import annotations

import pytest

from qwentui.chat.conversation import Conversation, Reply
from qwentui.chat.message import Message, Role
from qwentui.chat.stream import Draft, Finished, FinishReason, Phase, PhaseChanged, TextDelta, ThinkingDelta


def _reply(text: str, reason: FinishReason = FinishReason.STOP) -> Reply:
    return Reply(Message(Role.ASSISTANT, text, "hm"), reason)


def test_messages_go_out_in_order_with_the_system_prompt_first() -> None:
    talk = Conversation("be brief").asked("a").answered(_reply("A")).asked("b")
    assert [(m.role, m.content) for m in talk.messages()] == [
        ("system", "be brief"),
        ("user", "a"),
        ("assistant", "A"),
        ("user", "b"),
    ]


def test_an_empty_reply_is_kept_but_not_sent() -> None:
    talk = Conversation().asked("a").answered(_reply("", FinishReason.CANCELLED)).asked("b")
    assert [m.content for m in talk.messages()] == ["a", "b"]
    assert talk.turns[0].reply is not None


def test_a_change_leaves_the_old_value_whole() -> None:
    before = Conversation().asked("a")
    after = before.answered(_reply("A"))
    assert before.turns[0].reply is None
    assert after.until(0).turns == ()


def test_answering_nothing_is_an_error() -> None:
    with pytest.raises(IndexError):
        Conversation().answered(_reply("A"))


def test_a_draft_folds_its_events() -> None:
    draft = Draft()
    end = Finished(FinishReason.STOP)
    for event in (
        PhaseChanged(Phase.WAITING),
        ThinkingDelta("h"),
        ThinkingDelta("m"),
        TextDelta("a"),
        TextDelta("b"),
        end,
    ):
        draft.feed(event)
    assert draft.message() == Message(Role.ASSISTANT, "ab", "hm")
    assert draft.finished is end

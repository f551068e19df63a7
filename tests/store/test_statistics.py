from __future__ import annotations

import statistics as standard
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwentui.chat.conversation import Reply
from qwentui.chat.message import Message, Role
from qwentui.chat.percentile import percentile
from qwentui.chat.stream import FinishReason
from qwentui.chat.usage import ServerUsage, Usage
from qwentui.store.database import Database
from qwentui.store.sessions import SessionStore
from qwentui.store.statistics import Typical, spread, statistics, typical

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY = 86400.0


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database.open(tmp_path / "s.db")) as opened:
        yield opened


def answer(
    database: Database,
    model: str,
    ttft: float | None,
    *,
    at: float = 1_000_000.0,
    reason: FinishReason = FinishReason.STOP,
    tokens: int | None = 100,
) -> None:
    """One question and its reply, which took twice the time to its first token."""
    store = SessionStore(database, lambda: at)
    reply = store.messages.begin_reply(store.messages.ask(store.create(), "q"), model=model)
    server = ServerUsage(eval_count=tokens, eval_duration=None if tokens is None else tokens / 50)
    usage = Usage(ttft=ttft, elapsed=2 * (ttft or 0.0), server=server)
    store.messages.finish_reply(reply, Reply(Message(Role.ASSISTANT, "a"), reason, model, usage))


@given(st.lists(st.floats(0, 1e6), min_size=2))
def test_percentiles_are_those_of_the_standard_library(values: list[float]) -> None:
    cuts = standard.quantiles(values, n=20, method="inclusive")
    assert percentile(values, 0.95) == pytest.approx(cuts[18])
    assert percentile(values, 0.5) == pytest.approx(standard.median(values))
    assert spread(values).mean == pytest.approx(standard.fmean(values))


def test_one_value_is_every_percentile_and_none_is_no_percentile() -> None:
    assert spread([3.0]) == spread([3.0, 3.0])
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_each_model_stands_alone(database: Database) -> None:
    for ttft in (1.0, 2.0, 3.0):
        answer(database, "qwen3:32b", ttft)
    answer(database, "tiny", 0.1, tokens=None)
    answer(database, "qwen3:32b", 4.0, reason=FinishReason.CANCELLED)
    big, small = statistics(database.connection)
    assert (big.model, big.replies, big.tokens, big.day) == ("qwen3:32b", 4, 400, "")
    assert big.ttft.mean == 2.5
    assert big.total.p50 == 5.0
    assert big.tokens_per_second is not None
    assert big.tokens_per_second.p50 == pytest.approx(50)
    assert big.finish_reasons == {"cancelled": 1, "stop": 3}
    assert (small.model, small.tokens, small.tokens_per_second) == ("tiny", 0, None)


def test_days_and_a_beginning(database: Database) -> None:
    for number in range(3):
        answer(database, "m", 1.0 + number, at=10 * DAY + number * DAY)
    assert [(entry.replies, entry.ttft.mean) for entry in statistics(database.connection, by_day=True)] == [
        (1, 1.0),
        (1, 2.0),
        (1, 3.0),
    ]
    (late,) = statistics(database.connection, since=11 * DAY)
    assert late.replies == 2
    assert list(statistics(database.connection, model="other")) == []


def test_what_was_never_timed_is_left_out(database: Database) -> None:
    answer(database, "m", None)
    store = SessionStore(database)
    question = store.messages.ask(store.create(), "q")
    store.messages.begin_reply(question, model="m")
    assert list(statistics(database.connection)) == []
    assert typical(database.connection, "m") == Typical()


def test_what_is_usual_is_told_by_the_newest_complete_replies(database: Database) -> None:
    answer(database, "m", 100.0)
    for _ in range(3):
        answer(database, "m", 2.0)
    answer(database, "m", 90.0, reason=FinishReason.ERROR)
    answer(database, "other", 9.0)
    found = typical(database.connection, "m", recent=3)
    assert (found.count, found.ttft_p50, found.ttft_p95) == (3, 2.0, 2.0)
    assert found.tokens_per_second == pytest.approx(50)
    assert typical(database.connection, "m").count == 4

from __future__ import annotations

import threading

import pytest

from qwentui.tui.attaching import Aside, Attaching


async def test_work_that_never_ends_is_not_waited_for() -> None:
    aside, mount = Aside(patience=0.01), threading.Event()
    with pytest.raises(TimeoutError):
        await aside.do(mount.wait)
    # What is asked for next does not wait in its line for ever either.
    with pytest.raises(TimeoutError):
        await aside.do(lambda: 1)
    mount.set()


async def test_work_gives_its_result_or_its_error() -> None:
    aside = Aside()
    assert await aside.do(lambda: 1) == 1
    with pytest.raises(ZeroDivisionError):
        await aside.do(lambda: 1 // 0)
    assert await aside.do(lambda: 2) == 2


async def test_files_that_do_not_answer_are_a_refusal() -> None:
    attaching = Attaching()
    attaching._aside = Aside(patience=0.01)
    attaching._aside._busy.acquire()
    [refusal] = await attaching.named_in("see @notes.md")
    assert "did not answer within" in refusal.reason
    assert await attaching.named_in("nothing named") == ()

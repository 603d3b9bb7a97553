"""A value is made once, and a caller waits only for the value that it asked for."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from simsearch.reading.memo import Memo

SECONDS = 20  # until a test that waits for ever counts as failed


def test_a_slow_value_keeps_no_other_waiting_and_is_made_once() -> None:
    memo = Memo()
    begun, released = threading.Event(), threading.Event()
    made: list[str] = []

    def slow() -> str:
        begun.set()
        assert released.wait(SECONDS)
        made.append("slow")
        return "slow"

    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(memo.once, "slow", slow) for _ in range(2)]
        assert begun.wait(SECONDS)
        assert pool.submit(memo.once, "quick", lambda: "quick").result(SECONDS) == "quick"
        released.set()
        assert [future.result(SECONDS) for future in waiting] == ["slow", "slow"]
    assert made == ["slow"]


def test_a_value_may_be_made_of_another() -> None:
    memo = Memo()
    assert memo.once("sum", lambda: memo.once("part", lambda: 2) + 1) == 3


def test_what_failed_is_tried_again() -> None:
    memo = Memo()
    with pytest.raises(ZeroDivisionError):
        memo.once("share", lambda: 1 / 0)
    assert memo.once("share", lambda: 0.5) == 0.5


def test_the_least_recently_asked_for_is_dropped() -> None:
    memo, made = Memo(kept=2), []

    def ask(key: str) -> None:
        memo.once(key, lambda: made.append(key))

    for key in ("a", "b", "a", "c", "a", "b"):
        ask(key)
    assert made == ["a", "b", "c", "b"]

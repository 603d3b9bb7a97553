"""A process ends with the code it was given, whatever was left behind in it."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from simsearch.runtime.background import Background, left_behind, within

ENDING = """
import atexit, threading
from simsearch.runtime.background import end_process, within
atexit.register(print, "an orderly exit")
try:
    within(0.05, {work})
except TimeoutError:
    print("given up")
end_process(3)
"""


def ending(work: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", ENDING.format(work=work)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 3, done.stderr
    return done.stdout


def test_a_process_that_left_work_behind_ends_at_once_with_its_code() -> None:
    assert ending("threading.Event().wait") == "given up\n"


def test_a_process_that_left_nothing_behind_ends_in_order() -> None:
    assert ending("int") == "an orderly exit\n"


def test_work_is_left_behind_until_it_is_over() -> None:
    over = threading.Event()
    with pytest.raises(TimeoutError):
        within(0.05, over.wait)
    assert left_behind()
    over.set()
    assert within(60, lambda: 7) == 7
    for thread in threading.enumerate():
        if isinstance(thread, Background):
            assert thread.ended.wait(60)
    assert not left_behind()


def test_what_the_work_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        within(60, lambda: 1 // 0)

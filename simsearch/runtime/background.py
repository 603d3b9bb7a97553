"""Work on a thread of its own that may be given up, and a process that ends though it goes on."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from typing import Generic, NoReturn, TypeVar

T = TypeVar("T")


class Background(threading.Thread, Generic[T]):
    """`work` on a thread that does not keep its process alive. `ended` is set when it is over."""

    def __init__(self, work: Callable[[], T]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self.ended = threading.Event()
        self._result: list[T] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._result.append(self._work())
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self._error = error
        finally:
            self.ended.set()

    def result(self) -> T:
        """What the work returned or raised. To be asked for once `ended` is set."""
        if self._error is not None:
            raise self._error
        return self._result[0]


def within(seconds: float, work: Callable[[], T]) -> T:
    """What `work` returns or raises, or TimeoutError after so long; it is left behind then."""
    thread = Background(work)
    thread.start()
    if not thread.ended.wait(seconds):
        raise TimeoutError
    return thread.result()


def left_behind() -> bool:
    """Whether work that was given up, after too long or by an interrupt, still goes on."""
    threads = threading.enumerate()
    return any(isinstance(thread, Background) and not thread.ended.is_set() for thread in threads)


def end_process(code: int) -> NoReturn:
    """Exit with `code`, at once.

    Python would take PyTorch and Ray apart first, for two seconds. Work that was left behind is within
    Ray or a library: Python would wait for it, or take away under it what it uses, which can crash.
    """
    logging.shutdown()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:  # whoever read it has gone, as `head` does, which is no failure
        pass
    os._exit(code)

"""Work on a thread that may be given up, and the end of a process while such work goes on."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from typing import Generic, NoReturn, TypeVar

T = TypeVar("T")


class Background(threading.Thread, Generic[T]):
    """`work` on a thread that does not keep its process alive. `ended` is set when the work ends."""

    def __init__(self, work: Callable[[], T]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self.ended = threading.Event()
        self._result: list[T] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._result.append(self._work())
        except BaseException as error:  # noqa: BLE001 - raised again by `result`
            self._error = error
        finally:
            self.ended.set()

    def result(self) -> T:
        """Return or raise the result of the work. Call this once `ended` is set."""
        if self._error is not None:
            raise self._error
        return self._result[0]


def run_within(seconds: float, work: Callable[[], T]) -> T:
    """Return or raise the result of `work`. After so many seconds, TimeoutError is raised and the work is
    given up."""
    thread = Background(work)
    thread.start()
    if not thread.ended.wait(seconds):
        raise TimeoutError
    return thread.result()


def work_goes_on() -> bool:
    """Whether work still goes on that was given up, because it took too long or was interrupted."""
    threads = threading.enumerate()
    return any(isinstance(thread, Background) and not thread.ended.is_set() for thread in threads)


def end_process(code: int) -> NoReturn:
    """Exit with `code`, at once.

    Python would first take PyTorch and Ray apart, for two seconds. Work that was given up is within Ray or
    a library. Python would wait for it, or destroy the objects that it uses, which can crash.
    """
    logging.shutdown()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:  # the reader has gone, as `head` does, which is no failure
        pass
    os._exit(code)

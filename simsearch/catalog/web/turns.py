"""Many requests at once, to many hosts, of which none holds up the others."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

T = TypeVar("T")
Row = dict[str, Any]

MOST_THREADS = (
    64  # most of them wait for a host's next turn; requests in flight are counted elsewhere
)


def in_parallel(call: Callable[[Row], T], rows: Iterable[Row], threads: int) -> Iterator[T]:
    """The results of `call` as they come. What is not begun is dropped when the caller stops.

    Hosts take turns. Each has `threads` threads of its own, fewer where there are many hosts, so that
    the others go on where a host is slow or asks to be waited for. WebClient counts the requests that
    are in flight at once.
    """
    queues = _by_host(rows)
    turns = deque(queues)
    running: dict[Future[T], str] = {}
    busy: Counter[str] = Counter()
    pool = ThreadPoolExecutor(MOST_THREADS)
    try:
        while turns or running:
            share = max(1, min(threads, MOST_THREADS // max(1, len(turns))))
            full = 0  # hosts in a row that have all their threads
            while turns and len(running) < MOST_THREADS and full < len(turns):
                host = turns.popleft()
                full = full + 1 if busy[host] >= share else 0
                if not full:
                    running[pool.submit(call, queues[host].popleft())] = host
                    busy[host] += 1
                if queues[host]:
                    turns.append(host)
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                busy[running.pop(future)] -= 1
                yield future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _by_host(rows: Iterable[Row]) -> dict[str, deque[Row]]:
    queues: dict[str, deque[Row]] = {}
    for row in rows:
        # Cut by hand: an address may be none that a library takes, and is refused when it is asked for.
        rest = row["image_uri"].partition("://")[2].partition("/")[0]
        queues.setdefault(rest.rpartition("@")[2].lower(), deque()).append(row)
    return queues

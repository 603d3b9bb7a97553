"""Many requests at once, to many hosts. No host holds up the others."""

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


def call_in_parallel(call: Callable[[Row], T], rows: Iterable[Row], threads: int) -> Iterator[T]:
    """The results of `call`, in the order in which they arrive. When the caller stops, calls that have
    not begun are dropped.

    Hosts take turns. Each host has `threads` threads of its own, or fewer if there are many hosts. The
    others therefore go on if a host is slow or asks for a pause. WebClient limits the requests in
    flight.
    """
    queues = _group_by_host(rows)
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


def _group_by_host(rows: Iterable[Row]) -> dict[str, deque[Row]]:
    queues: dict[str, deque[Row]] = {}
    for row in rows:
        # Cut by hand: libraries refuse some addresses, which are to fail only at their own request.
        rest = row["image_uri"].partition("://")[2].partition("/")[0]
        queues.setdefault(rest.rpartition("@")[2].lower(), deque()).append(row)
    return queues

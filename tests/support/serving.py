"""A web server of a test's own, in a thread that ends with the test."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer

POLL_SECONDS = 0.02  # between two looks whether the test has ended


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[str]:
    """Let a server that is bound already answer within the block; gives its address over http."""
    thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

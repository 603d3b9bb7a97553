"""The tiles that a collection's image servers offer."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import OrderedDict

from simsearch.catalog.web.client import WebClient
from simsearch.catalog.web.errors import FAILURES, reason_of
from simsearch.reading.zoom import Tiles, read_info
from simsearch.settings.sections.collection import DownloadConfig

log = logging.getLogger(__name__)

INFO_BYTES = 2**20  # of an image server's description
INFO_SECONDS = 5.0  # that a visitor waits for an image server before the tiles are made here
KEPT_SECONDS = 600.0  # after which a server is asked again, even one that was given up
KEPT = 1000  # descriptions, of a kilobyte
ASKED_AT_ONCE = 4  # of the explorer's 40 simultaneous requests, so that other pages go on


class ImageServers:
    """Asks each server for a picture's tiles once in KEPT_SECONDS. Safe to use from several threads."""

    def __init__(self, config: DownloadConfig) -> None:
        self._config = config.model_copy(update={"attempts": 1, "timeout": INFO_SECONDS})
        self._places = threading.BoundedSemaphore(ASKED_AT_ONCE)
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[float, Tiles | None]] = OrderedDict()
        self._client = WebClient(self._config)
        self._client_until = time.monotonic() + KEPT_SECONDS

    def tiles(self, base: str) -> Tiles | None:
        """The tiles of the picture at an image service's address. None if the server offers none, or does
        not answer soon."""
        now = time.monotonic()
        with self._lock:
            until, tiles = self._kept.get(base, (now, None))
        if until > now:
            return tiles
        if not self._places.acquire(blocking=False):
            return None
        try:
            tiles = self._ask(base)
        finally:
            self._places.release()
        with self._lock:
            self._kept[base] = time.monotonic() + KEPT_SECONDS, tiles
            self._kept.move_to_end(base)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return tiles

    def _ask(self, base: str) -> Tiles | None:
        try:
            data = self._current_client().get(f"{base}/info.json", INFO_BYTES).data
            return read_info(json.loads(data or b"null"), base)
        except (*FAILURES, ValueError, RecursionError) as error:
            log.warning(
                "explore: %s: no tiles from there, made here instead: %s", base, reason_of(error)
            )
            return None

    def _current_client(self) -> WebClient:
        """The client. It is made anew after a time, so that servers which were given up are asked again."""
        with self._lock:
            if time.monotonic() > self._client_until:
                self._client = WebClient(self._config)
                self._client_until = time.monotonic() + KEPT_SECONDS
            return self._client

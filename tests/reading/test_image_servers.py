"""Image servers that are silent, odd or well: no visitor waits long, none is asked without need."""

from __future__ import annotations

import json
import socket
import threading
import time

import pytest

from simsearch.reading import image_servers
from simsearch.reading.image_servers import ASKED_AT_ONCE, ImageServers
from simsearch.settings.sections.collection import DownloadConfig
from tests.support.moody import Request, moody

SETTINGS = DownloadConfig(private_networks=True, robots=False, per_second=1000)
INFO = {"type": "ImageService3", "profile": "level2", "width": 900, "height": 600}


@pytest.mark.slow
def test_a_silent_server_holds_up_few_and_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_servers, "INFO_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0), backlog=100) as silent:
        base = f"http://127.0.0.1:{silent.getsockname()[1]}"
        servers = ImageServers(SETTINGS)
        seconds = []

        def ask(number: int) -> None:
            began = time.monotonic()
            assert servers.tiles(f"{base}/{number}") is None
            seconds.append(time.monotonic() - began)

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(took > 0.25 for took in seconds) <= ASKED_AT_ONCE
        ask(40)
        assert seconds[-1] < 0.25


def test_a_description_is_asked_for_again_after_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    well = False

    def answer(request: Request) -> None:
        request.send(json.dumps(INFO).encode() if well else b"[" * 100_000)

    with moody(answer) as served:
        servers = ImageServers(SETTINGS)
        assert [servers.tiles(served.base) for _ in range(3)] == [None] * 3
        assert served.asked == ["/info.json"]
        well, now = True, time.monotonic
        monkeypatch.setattr(time, "monotonic", lambda: now() + image_servers.KEPT_SECONDS)
        tiles = servers.tiles(served.base)
        assert tiles is not None
        assert (tiles.width, tiles.height) == (900, 600)

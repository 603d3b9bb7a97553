"""The metrics of a run's end: what a failed run leaves, and gateways that are none."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from simsearch.errors import SimsearchError
from simsearch.runs.operations.prometheus import SUCCEEDED
from simsearch.runs.records import record_run
from simsearch.settings.config import Config, load_config
from tests.cluster.manifests import CLUSTER
from tests.support.alerts import play_alerts
from tests.support.serving import serving


def succeed(config: Config) -> None:
    with record_run(config, "run") as record:
        record.outcome, record.artworks = "published", 12


def fail(config: Config) -> None:
    with pytest.raises(SimsearchError, match="the reason"), record_run(config, "run"):
        raise SimsearchError("the reason")


def value(text: str, name: str) -> float:
    match = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
    assert match is not None, text
    return float(match[1])


@pytest.mark.slow
@pytest.mark.parametrize("failures", [1, 25])
def test_failures_keep_the_time_of_the_last_success_and_the_alert_fires(
    failures: int, tmp_path: Path
) -> None:
    file = tmp_path / "simsearch.prom"
    config = load_config(None, [f"root={tmp_path}/root", f"monitoring.prometheus_textfile={file}"])
    succeed(config)
    success = value(file.read_text(), SUCCEEDED)
    for _ in range(failures):
        fail(config)
    text = file.read_text()
    assert value(text, "simsearch_artworks") == 12
    assert value(text, 'simsearch_run_outcome{outcome="failed"}') == 1
    assert value(text, 'simsearch_run_outcome{outcome="published"}') == 0
    told = value(text, SUCCEEDED) - success + 60  # promtool's clock begins at 0
    series = {SUCCEEDED: f"60x1000 {told:.0f}x1000"}
    play_alerts(
        CLUSTER / "dashboards" / "alerts.yaml",
        series,
        26 * 60 + 2,
        ["SimsearchNoSuccess"],
        tmp_path,
    )


def test_a_file_keeps_its_time_where_the_records_are_gone(tmp_path: Path) -> None:
    file = tmp_path / "simsearch.prom"
    words = [f"root={tmp_path}/root", f"monitoring.prometheus_textfile={file}"]
    succeed(load_config(None, words))
    success = value(file.read_text(), SUCCEEDED)
    fail(load_config(None, [*words, f"root={tmp_path}/other"]))
    assert value(file.read_text(), SUCCEEDED) == success


class Gateway(ThreadingHTTPServer):
    """Keeps what is pushed to it as a Pushgateway does: a POST replaces the metrics that it names."""

    def __init__(self) -> None:
        self.metrics: dict[str, str] = {}
        self.methods: list[str] = []
        super().__init__(("127.0.0.1", 0), _handler(self))


def _handler(gateway: Gateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            gateway.methods.append(self.command)
            if self.command == "PUT":
                gateway.metrics.clear()
            for family in re.split(r"^# HELP ", text, flags=re.MULTILINE)[1:]:
                gateway.metrics[family.split()[0]] = family
            self.send_response(200)
            self.end_headers()

        def do_PUT(self) -> None:
            self.do_POST()

        def log_message(self, *args: Any) -> None:
            pass

    return Handler


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as server, serving(server):
        yield server


def test_a_gateway_keeps_what_a_failed_run_does_not_know(gateway: Gateway, tmp_path: Path) -> None:
    address = f"127.0.0.1:{gateway.server_address[1]}"
    words = [f"root={tmp_path}/root", f"monitoring.pushgateway={address}"]
    succeed(load_config(None, words))
    success = value(gateway.metrics[SUCCEEDED], SUCCEEDED)
    fail(load_config(None, [*words, f"root={tmp_path}/another"]))
    assert value(gateway.metrics[SUCCEEDED], SUCCEEDED) == success
    assert gateway.methods == ["POST", "POST"]


@pytest.fixture
def chatterbox() -> Iterator[int]:
    """The port of a server that answers no HTTP."""
    server = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            with peer:
                peer.recv(65536)
                peer.sendall(b"220 mail.example.org ESMTP\r\n")

    threading.Thread(target=answer, daemon=True).start()
    yield server.getsockname()[1]
    server.close()


@pytest.mark.parametrize("address", ["127.0.0.1:{port}", "127.0.0.1:port", "[::1", "a b:9091"])
def test_a_gateway_that_is_none_neither_fails_a_run_nor_hides_why_one_failed(
    address: str, chatterbox: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told = tmp_path / "told"
    place = address.format(port=chatterbox)
    hook = f"monitoring.on_failure=[sh, -c, 'cat > {told}']"
    config = load_config(None, [f"root={tmp_path}/root", f"monitoring.pushgateway='{place}'", hook])
    succeed(config)
    assert f"{place}: the metrics could not be exported" in caplog.text
    fail(config)
    assert "the reason" in told.read_text()

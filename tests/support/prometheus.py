"""A real Prometheus on a port of its own, that ends with the test."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.support.processes import free_port

READY_SECONDS = 120


def program(name: str) -> str:
    """`prometheus` or `promtool`. Skips the test where it is not installed; fails it in CI."""
    if path := shutil.which(name):
        return path
    reason = f"no {name}; to run these tests: apt-get install prometheus"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass(frozen=True)
class Prometheus:
    """A running server."""

    address: str

    def query(self, expression: str) -> list[Any]:
        """The series that an expression has now: [{"metric": labels, "value": [time, text]}]."""
        result: list[Any] = self._get("query", {"query": expression})["result"]
        return result

    def history(self, expression: str, seconds: int = 600) -> list[Any]:
        """The series that an expression had at any moment of the last seconds, as Grafana asks for them."""
        now = time.time()
        result: list[Any] = self._get(
            "query_range", {"query": expression, "start": now - seconds, "end": now, "step": 2}
        )["result"]
        return result

    def rules(self) -> list[Any]:
        return [rule for group in self._get("rules", {})["groups"] for rule in group["rules"]]

    def _get(self, path: str, parameters: Mapping[str, str | float]) -> Any:
        answer = httpx.get(f"{self.address}/api/v1/{path}", params=parameters, timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]


@contextmanager
def prometheus(folder: Path, targets: Sequence[str], rules: Path) -> Iterator[Prometheus]:
    """Scrapes `targets`, each a host:port, every second, and evaluates a file of rules."""
    config = folder / "prometheus.yml"
    config.write_text(
        yaml.safe_dump(
            {
                "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                "rule_files": [str(rules)],
                "scrape_configs": [
                    {"job_name": "simsearch", "static_configs": [{"targets": list(targets)}]}
                ],
            }
        )
    )
    address = f"127.0.0.1:{free_port()}"
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                program("prometheus"),
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={address}",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_ready(f"http://{address}", process, folder / "prometheus.log")
        yield Prometheus(f"http://{address}")
    finally:
        process.terminate()
        process.wait(20)


def _wait_until_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            if httpx.get(f"{address}/-/ready", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)

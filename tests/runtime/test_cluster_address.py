"""A cluster that is not there is named at once, in one line, and holds nothing up."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from simsearch.errors import SimsearchError, UsageError
from simsearch.runs import job
from simsearch.runtime.cluster_address import check_cluster_address
from simsearch.settings.config import load_config
from simsearch.settings.sections.operation import RayConfig
from tests.support.processes import free_port


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("ray://head:10001", "Ray Client's address"),
        ("http://head:8265", "the dashboard's address"),
        ("head", "is no host:port"),
        ("head:99999", "is no host:port"),
    ],
)
def test_an_address_of_another_kind_is_refused(address: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check_cluster_address(RayConfig(address=address))


@pytest.mark.parametrize("by_environment", [False, True])
def test_a_dead_cluster_fails_a_run_before_it_takes_the_root(
    by_environment: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"127.0.0.1:{free_port()}"
    words = [f"root={tmp_path}/root"]
    if by_environment:
        monkeypatch.setenv("RAY_ADDRESS", address)
    else:
        words.append(f"ray.address={address}")
    with pytest.raises(SimsearchError, match=f"nobody answers at {address}") as raised:
        job.run(load_config(None, words))
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "root").exists()


@pytest.mark.slow
def test_a_server_that_is_no_head_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    from simsearch.runtime import ray_session

    monkeypatch.setattr(ray_session, "CLUSTER_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        started = time.monotonic()
        with (
            pytest.raises(
                SimsearchError, match=f"cannot use Ray at {address}: no answer of a head"
            ),
            ray_session.ray_session(RayConfig(address=address)),
        ):
            pass
    assert time.monotonic() - started < 20

"""Ports for the servers that tests start."""

from __future__ import annotations

import pytest

from tests.support.processes import free_port


@pytest.mark.slow
def test_no_port_is_given_twice() -> None:
    ports = [free_port() for _ in range(50)]
    assert len(set(ports)) == 50

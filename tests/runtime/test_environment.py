"""Ray takes over what its environment is prepared with, and the image is prepared likewise."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from simsearch.runtime.environment import LOST_POWER, NO_USAGE_REPORTS

ASK = """
from simsearch.runtime.environment import prepare_environment
prepare_environment()
import ray
print(ray._config.grpc_client_keepalive_time_ms(), ray._config.grpc_client_keepalive_timeout_ms())
"""


@pytest.mark.slow
def test_a_driver_learns_within_80_seconds_that_a_node_lost_its_power() -> None:
    done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["60000", "20000"], done.stderr


@pytest.mark.slow
def test_a_night_of_few_news_imports_no_ray_data() -> None:
    modules = "extraction.extract, simsearch.neighbours.building, simsearch.evaluation.evaluate, simsearch.maps.projection"
    program = (
        f"import sys, simsearch.{modules}; print('ray' in sys.modules, 'ray.data' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == ["True", "False"]


def test_the_image_is_prepared_as_a_driver_is() -> None:
    dockerfile = (Path(__file__).parents[2] / "cluster/Dockerfile").read_text(encoding="utf-8")
    for name, value in (*LOST_POWER, NO_USAGE_REPORTS):
        assert f"{name}={value}" in dockerfile

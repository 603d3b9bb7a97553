"""The image's recipe, as far as it can be checked where no image is built."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.manifests import CLUSTER


@pytest.mark.slow
def test_the_dockerfile_has_no_known_fault() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [str(hadolint), str(CLUSTER / "Dockerfile")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_an_accelerator_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [str(CLUSTER / "install"), "tpu", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == "ACCELERATOR: cpu or cuda, not 'tpu'\n"

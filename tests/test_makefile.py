"""`make`: which Python it takes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("there", "taken"),
    [
        ({"python3.11": 0, "python3.12": 0, "python3.13": 0}, "python3.13"),
        ({"python3.11": 0, "python3.12": 0, "python3.13": 127}, "python3.12"),  # a shim that fails
        ({"python3.11": 0}, "python3.11"),
        ({}, "python3"),
    ],
)
def test_the_newest_python_that_runs_is_taken(
    tmp_path: Path, there: dict[str, int], taken: str
) -> None:
    for name in ("python3.11", "python3.12", "python3.13"):
        stand_in = tmp_path / name  # in front of the machine's own
        stand_in.write_text(f"#!/bin/sh\nexit {there.get(name, 127)}\n")
        stand_in.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    environment.pop("PYTHON", None)
    asked = ["make", "--silent", "--eval", "which: ; @echo $(PYTHON)", "which"]
    answer = subprocess.run(
        asked, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == taken

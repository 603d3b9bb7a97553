"""Laws that tests hold, with a seed: takedown, secrets, names of a root, odd catalogs, hostile peers. A test
that sets no number of examples gets a hundred times as many."""

from __future__ import annotations

import subprocess
import sys
import time

from tests.drills.harness import Harness, Row

GROUPS = {
    "takedown": (
        "tests/runs/test_forgetting.py",
        "tests/runs/test_forgetting_damage.py",
        "tests/runs/test_forgetting_notes.py",
        "tests/runs/test_forgetting_remedies.py",
        "tests/explorer/test_gone.py",
        "tests/explorer/test_aside.py",
    ),
    "secrets": (
        "tests/explorer/test_secrets.py",
        "tests/settings/test_secrets.py",
        "tests/catalog/test_secret_addresses.py",
    ),
    "roots": ("tests/snapshots/test_root_names.py", "tests/storage/test_inside.py"),
    "catalogs": (
        "tests/catalog/test_any_iiif.py",
        "tests/catalog/test_any_table.py",
        "tests/catalog/test_odd_folders.py",
        "tests/catalog/test_odd_keys.py",
        "tests/catalog/test_odd_rows.py",
        "tests/catalog/test_odd_tables.py",
        "tests/runs/test_odd_collection.py",
    ),
    "peers": (
        "tests/catalog/test_web.py",
        "tests/catalog/test_hosts.py",
        "tests/catalog/test_bodies.py",
        "tests/catalog/test_redirects.py",
        "tests/catalog/test_public_addresses.py",
        "tests/explorer/test_limits.py",
    ),
}
"""Files of tests by the name of their drill."""


def laws_drill(harness: Harness, name: str) -> None:
    """Run a group of tests with examples that follow from the seed."""
    log, started = harness.log(name), time.monotonic()
    seed = f"--hypothesis-seed={harness.seed}"
    command = [sys.executable, "-m", "pytest", "-q", "--hypothesis-profile=drill", seed]
    with log.open("wb") as file:
        done = subprocess.run(
            [*command, *GROUPS[name]], stdout=file, stderr=subprocess.STDOUT, check=False
        )
    last = log.read_text(errors="replace").strip().splitlines()[-1]
    harness.add(
        Row(
            "local",
            name,
            f"{len(GROUPS[name])} files of tests",
            last,
            f"{time.monotonic() - started:.0f} s",
            {"all passed": done.returncode == 0},
        )
    )

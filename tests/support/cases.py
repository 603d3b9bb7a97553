"""Small inputs of the kinds that public bug reports are about, with the right values."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.places import SHARED


def case(name: str) -> Path:
    """A file of the shared cases; the test is skipped where they are absent."""
    path = SHARED / "cases" / name
    if not path.exists():
        pytest.skip(f"no case at {path}")
    return path

"""Where tests read and write."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from simsearch.settings.sections.operation import StorageConfig

SHARED = Path(__file__).parents[3] / "shared"


@dataclass(frozen=True)
class Place:
    """An empty storage root and how to reach it."""

    root: str
    config: StorageConfig

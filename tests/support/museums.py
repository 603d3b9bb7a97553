"""A catalog read by a museum's name."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from simsearch.catalog.notes import Notes
from tests.support.catalogs import read


def museum(
    tmp_path: Path, name: str, source: Path, *overrides: str, notes: Notes | None = None
) -> pa.Table:
    return read(
        tmp_path, f"catalog.reader={name}", f"catalog.source={source}", *overrides, notes=notes
    )

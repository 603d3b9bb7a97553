"""The files of a root as text, for tests of words that may not be in them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pyarrow.parquet as pq


def texts_of(path: Path) -> str:
    """All that a file says: its bytes as text, and each value where it is Parquet."""
    data = path.read_bytes()
    text = f"{path} {data.decode(errors='replace')}"
    if path.suffix == ".parquet":
        text += json.dumps(
            pq.read_table(io.BytesIO(data)).to_pylist(), default=str, ensure_ascii=False
        )
    return text

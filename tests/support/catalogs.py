"""Small catalogs to read, and pictures for them."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
from PIL import Image

from simsearch.catalog import catalog
from simsearch.catalog.notes import Notes
from simsearch.settings.config import load_config


def jpeg(colour: str = "red") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(buffer, "JPEG")
    return buffer.getvalue()


def read(tmp_path: Path, *overrides: str, notes: Notes | None = None) -> pa.Table:
    config = load_config(None, [f"root={tmp_path / 'root'}", *overrides])
    return catalog.read_catalog(config, notes)

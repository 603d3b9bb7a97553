"""The export for Embedding Atlas, against what its documentation asks for."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from simsearch.errors import UsageError
from simsearch.explorer.atlas import export_atlas
from simsearch.features import store as feature_store
from simsearch.features.vectors import unit_rows
from simsearch.reading.dates import first_year
from simsearch.snapshots.snapshot import Snapshot
from tests.support.explorer_site import GIVEN, NETWORK, settings


@pytest.mark.slow
def test_a_file_per_space_has_what_embedding_atlas_reads(
    snapshot: Snapshot, tmp_path: Path
) -> None:
    config = settings(snapshot.storage.root)
    message = export_atlas(config, [config.root], str(tmp_path / "atlas"))
    assert message.count("embedding-atlas ") == 2
    assert (tmp_path / "atlas" / f"{NETWORK}.parquet").exists()
    rows = pq.read_table(tmp_path / "atlas" / f"{GIVEN}.parquet").to_pylist()
    stored = snapshot.storage.read_table(snapshot.projection_path(GIVEN, "pca")).to_pylist()
    places = {row["artwork_id"]: (row["x"], row["y"]) for row in stored}
    images = snapshot.images()
    vectors = feature_store.read_vectors(snapshot.storage, snapshot.plan().space(GIVEN), images)
    units = unit_rows(vectors).astype(float)
    owners = np.array(images["artwork_id"].to_pylist())
    for row in rows:
        assert (row["x"], row["y"]) == places[row["artwork_id"]]
        assert Image.open(io.BytesIO(row["image"]["bytes"])).format == "WEBP"
        own = images["image_id"].to_pylist().index(row["artwork_id"])
        distances = np.linalg.norm(units - units[own], axis=1)
        nearest = min(
            (float(distances[owners == other["artwork_id"]].min()), number)
            for number, other in enumerate(rows)
            if other["artwork_id"] != row["artwork_id"]
        )
        assert row["neighbors"]["ids"][0] == nearest[1]
        assert row["neighbors"]["distances"][0] == pytest.approx(nearest[0], abs=1e-5)
        assert len(row["neighbors"]["ids"]) == 10
    years = [None if row["year"] is None else row["year"].year for row in rows]
    assert years == [first_year(row["date"]) for row in rows]
    assert any(years)
    assert [row["copies_found"] is None for row in rows] == [False] * 12 + [True] * 12
    for space in (NETWORK, GIVEN):
        file = tmp_path / "atlas" / f"{space}-labels.json"
        assert file.exists() == (f"--labels {file}" in message)
        labels = json.loads(file.read_text()) if file.exists() else []
        assert all({"x", "y", "text", "level", "priority"} == set(label) for label in labels)


def test_a_bucket_is_refused(snapshot: Snapshot) -> None:
    config = settings(snapshot.storage.root)
    with pytest.raises(UsageError, match="local folder"):
        export_atlas(config, [config.root], "s3://bucket/atlas")

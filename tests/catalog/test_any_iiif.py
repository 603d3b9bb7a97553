"""Whatever IIIF servers send, each manifest becomes artworks, or is left out with its reason."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simsearch.catalog import catalog
from simsearch.catalog.iiif import parse
from simsearch.catalog.notes import Notes
from simsearch.errors import SimsearchError
from tests.catalog.test_any_table import ODD_ADDRESSES
from tests.support.documents import documents, iiif_config, image, manifest, manifest_2, service

WORDS = st.sampled_from(
    """Manifest sc:Manifest Collection Canvas Annotation AnnotationPage Image Choice painting full square
    xywh=1,2,3,4 level2 ImageService2 en none @none http://iiif.io/api/image/2/context.json 0,0,0,0 pct:1e9""".split()  # noqa: SIM905
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from([10**400, 1e308, -1, 0]),
    st.sampled_from(ODD_ADDRESSES),
    st.text(max_size=8),
    WORDS,
)
KEYS = st.sampled_from(
    """id @id type @type items label value metadata body resource service services sequences canvases images
    members manifests collections first next width height sizes tiles profile rights license requiredStatement
    attribution homepage related selector region rotation source full default item motivation format
    @value @language maxWidth maxHeight maxArea extraFeatures supports on target""".split()  # noqa: SIM905
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
RIGHT = manifest(image("https://x.test/right.jpg"))


def changed(value: Any, place: int, other: Any) -> tuple[Any, int]:
    """A document whose value number `place` is replaced by `other`, and the places that are left."""
    if place == 0:
        return other, -1
    place -= 1
    if isinstance(value, dict):
        result: Any = {}
        for key, inner in value.items():
            result[key], place = changed(inner, place, other) if place >= 0 else (inner, place)
        return result, place
    if isinstance(value, list):
        result = []
        for inner in value:
            new, place = changed(inner, place, other) if place >= 0 else (inner, place)
            result.append(new)
        return result, place
    return value, place


WHOLE = st.sampled_from(
    [
        manifest(image(service=[service()])),
        manifest_2({**image(), "service": service(level=0)}),
        manifest({"type": "Choice", "items": [image()]}, metadata=[{"label": "Artist", "value": {"en": ["A"]}}]),
        manifest({"type": "SpecificResource", "source": image(), "selector": {"region": "1,2,3,4"}}),
    ]
)  # fmt: skip
NEARLY = st.builds(
    lambda whole, place, other: changed(whole, place, other)[0], WHOLE, st.integers(0, 40), VALUES
)


@pytest.mark.slow
@settings(max_examples=12)
@given(st.lists(NEARLY | VALUES, min_size=1, max_size=8))
def test_each_manifest_is_an_artwork_or_left_out(values: list[Any]) -> None:
    with documents() as web, tempfile.TemporaryDirectory() as folder:
        paths = [f"/{number}.json" for number in range(len(values))]
        web.files |= dict(
            zip(
                paths,
                ([value] if isinstance(value, int) else value for value in values),
                strict=True,
            )
        )
        web.files["/right.json"] = RIGHT
        source = web.collection(*paths, "/right.json")
        notes = Notes()
        config = iiif_config(Path(folder), source, "catalog.download.timeout=1")
        rows = catalog.read_catalog(config, notes).to_pylist()
        assert "https://x.test/right.jpg" in [row["image_uri"] for row in rows]
        asked = {path for path in web.asked if path in paths}
        assert asked == set(paths)
        manifests = {row["artwork_id"].rpartition("/")[2] for row in rows}
        lost = sum(
            count
            for reason, (count, _) in notes.left_out.items()
            if reason.startswith(("manifests that", "manifests without", "collections"))
        )
        cut = sum(
            count
            for reason, (count, _) in notes.left_out.items()
            if "do" in reason and "cut" in reason
        )
        parsed = [parse(json.loads(json.dumps(value))) for value in values]
        collections = sum(
            document is not None and document.kind == "collection" for document in parsed
        )
        assert len(manifests) + lost + cut + collections >= len(paths) + 1


@pytest.mark.slow
@settings(max_examples=20)
@given(VALUES)
def test_any_collection_ends_with_artworks_or_an_error_of_ours(value: Any) -> None:
    with documents() as web, tempfile.TemporaryDirectory() as folder:
        web.files["/c.json"] = [value] if isinstance(value, int) else value
        config = iiif_config(Path(folder), f"{web.base}/c.json", "catalog.download.timeout=0.2")
        try:
            catalog.read_catalog(config)
        except SimsearchError:
            return


def test_a_deep_manifest_costs_itself() -> None:
    with documents() as web, tempfile.TemporaryDirectory() as folder:
        web.files["/deep.json"] = (
            b'{"type": "Manifest", "items": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
        )
        web.files["/right.json"] = RIGHT
        notes = Notes()
        config = iiif_config(Path(folder), web.collection("/deep.json", "/right.json"))
        assert catalog.read_catalog(config, notes).num_rows == 1
        assert notes.left_out["manifests that could not be read"][0] == 1
        assert "nested too deeply" in notes.left_out["manifests that could not be read"][1]

"""Only originals that no space of the run learned from are asked for their neighbours."""

import tempfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simsearch import schemas
from simsearch.encoders.trained import Training, store
from simsearch.features.space import FeatureSpace
from simsearch.snapshots.held_out import FEWEST, HeldOut, find_held_out
from simsearch.storage.storage import Storage
from tests.support.spaces import SPACE


def images(hashes: list[int]) -> pa.Table:
    """Originals "0", "1", … with those pictures, each followed by a copy."""
    rows = [
        {
            "image_id": f"{number}{profile or ''}",
            "artwork_id": str(number),
            "profile": profile,
            "content_hash": f"h{digest}",
        }
        for number, digest in enumerate(hashes)
        for profile in (None, "blur-1")
    ]
    return pa.Table.from_pylist(rows, schema=schemas.IMAGES)


def learned(storage: Storage, number: int, rows: list[tuple[int, int]]) -> FeatureSpace:
    """A space whose head learned from artworks (number, picture)."""
    digest = f"{number:064}"[::-1]
    training = Training(
        name="head", settings={}, fitted_for=None, dimension=24, profiles=(), artworks=len(rows),
        images=len(rows), held_out={}, losses=(), seconds=0.0, device="cpu", data_sha256="",
        weights_sha256=digest, code_version="0", created="",
    )  # fmt: skip
    table = pa.Table.from_pylist(
        [{"artwork_id": str(a), "content_hash": f"h{h}"} for a, h in rows],
        schema=schemas.LEARNED_FROM,
    )
    store(storage, training, b"", table)
    return replace(SPACE, name=f"learned{number}", head="head", head_digest=digest)


def asked(storage: Storage, spaces: list[FeatureSpace], hashes: list[int]) -> HeldOut:
    plan: Any = SimpleNamespace(spaces=tuple(spaces))
    return find_held_out(storage, plan, images(hashes))


PAIRS = st.lists(st.tuples(st.integers(0, 14), st.integers(0, 8)), max_size=6)


@pytest.mark.slow
@given(st.lists(st.integers(0, 8), min_size=1, max_size=12), st.lists(PAIRS, max_size=3))
@settings(max_examples=40, deadline=None)
def test_originals_that_any_space_learned_from_are_not_asked_about(
    hashes: list[int], learned_from: list[list[tuple[int, int]]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        storage = Storage(folder)
        spaces = [SPACE, *(learned(storage, n, rows) for n, rows in enumerate(learned_from))]
        held = asked(storage, spaces, hashes)
    seen = [row for rows in learned_from for row in rows]
    assert held.places.tolist() == [
        all(number != artwork and digest != picture for artwork, picture in seen)
        for number, digest in enumerate(hashes)
    ]
    assert held.learned == bool(learned_from)


@pytest.mark.parametrize("left", [0, 1, FEWEST - 1, FEWEST])
def test_too_few_are_left_out_with_the_reason_and_never_all_taken(
    left: int, tmp_path: Path
) -> None:
    storage = Storage(str(tmp_path))
    space = learned(storage, 1, [(number, number) for number in range(left, 40)])
    held = asked(storage, [SPACE, space], list(range(40)))
    assert int(held.places.sum()) == left
    assert held.enough == (left == FEWEST)
    assert f"{left} of 40 artworks" in held.words
    assert ("left out" in held.words) == (left < FEWEST)


def test_without_learned_spaces_every_original_is_asked_about_however_few(tmp_path: Path) -> None:
    held = asked(Storage(str(tmp_path)), [SPACE], [1, 1, 2])
    assert (held.places.tolist(), held.enough, held.words) == ([True] * 3, True, "")

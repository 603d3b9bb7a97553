"""How artworks are cut into blocks."""

import itertools

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simsearch.extraction.stages import _blocks


@pytest.mark.slow
@given(st.lists(st.integers(0, 20), max_size=60), st.integers(1, 50))
def test_a_block_holds_whole_artworks_and_no_image_above_whole_batches(
    images: list[int], most: int
) -> None:
    todo = pa.table(
        {"row": pa.array(range(len(images)), pa.int64()), "images": pa.array(images, pa.int64())}
    )
    blocks = [block.to_pylist() for block in _blocks(todo, images, most)]
    assert [row["row"] for block in blocks for row in block] == list(range(len(images)))
    for block in blocks:
        assert (
            sum(row["images"] for row in block) <= most
            or sum(row["images"] > 0 for row in block) == 1
        )
    for block, following in itertools.pairwise(blocks):  # as full as they can be
        assert sum(row["images"] for row in block) + following[0]["images"] > most

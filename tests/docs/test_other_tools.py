"""Every example of the page on other tools runs on a root, and gives what NumPy gives."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from simsearch import schemas
from simsearch.features.store import write_shard
from simsearch.settings.sections.operation import StorageConfig
from simsearch.storage.storage import Storage
from tests.support.markdown import Block, code_blocks
from tests.support.small_snapshots import make_snapshot, vector_of
from tests.support.spaces import SPACE

PAGE = Path(__file__).parents[2] / "docs/pages/other-tools.md"
ARTWORKS = {"a": "sea", "b": "sea", "c": "sky", "d": "hill", "e": "tree"}  # a and b share a file
TAKEN_DOWN = "forgotten-0123456789abcdef"
BLOCKS = list(code_blocks(PAGE))
NEEDED = {
    "lancedb": 2,
    "faiss": 2,
    "usearch.index": 2,
    "hnswlib": 2,
}  # earlier blocks that the tool's later blocks need


def module_of(block: Block) -> str:
    """The tool of a block: what its first line imports."""
    return block.text.split()[1]


@pytest.fixture(scope="module")
def museum(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A root called museum in the working folder. Its vectors are those of the artworks, of a copy, of
    a picture that the snapshot does not have, and of an artwork that was taken down."""
    folder: Path = tmp_path_factory.mktemp("tools")
    storage = Storage(str(folder / "museum"), StorageConfig())
    snapshot = make_snapshot(storage, ARTWORKS)
    stand_in = dict(zip(schemas.IMAGES.names, ("y", TAKEN_DOWN, None, TAKEN_DOWN), strict=True))
    gone = pa.Table.from_pylist([stand_in], schema=schemas.IMAGES)
    storage.write_table(snapshot.images_path, pa.concat_tables([snapshot.images(), gone]))
    write_shard(storage, SPACE, gone, np.zeros((1, SPACE.dimension), np.float32))
    rows = [("a--grayscale", "a", "grayscale", "sea"), ("z", "z", None, "gone")]
    images = pa.Table.from_pylist(
        [dict(zip(schemas.IMAGES.names, row, strict=True)) for row in rows], schema=schemas.IMAGES
    )
    other = np.stack([vector_of("another"), vector_of("gone")])
    write_shard(storage, SPACE, images, other)
    before = Path.cwd()
    os.chdir(folder)
    yield folder
    os.chdir(before)


@pytest.mark.parametrize("place", range(1, len(BLOCKS)), ids=map(module_of, BLOCKS[1:]))
def test_a_tool_reads_what_a_root_holds(museum: Path, place: int) -> None:
    tool = module_of(BLOCKS[place])
    pytest.importorskip(tool)
    values: dict[str, Any] = {}
    earlier = BLOCKS[: NEEDED.get(tool, 0) + 1]
    for block in [*earlier[:1], *earlier[2:], BLOCKS[place]]:
        exec(compile(block.text, f"{PAGE.name}:{block.line}", "exec"), values)
    checks: dict[str, Callable[[Any], None]] = {
        "vector_of_artwork": check_vectors,
        "nearest": check_nearest,
        "neighbours": check_count,
        "found": check_found,
        "cosines": lambda cosines: check_cosines(cosines[0]),
        "matches": lambda matches: check_cosines(1 - matches.distances),
        "distances": lambda distances: check_cosines(1 - distances[0]),
    }
    made = [name for name in checks if name in values]
    assert made
    for name in made:
        checks[name](values[name])


def rows_of(table: Any) -> list[dict[str, Any]]:
    """The rows of a table of pyarrow, pandas or Polars."""
    if isinstance(table, pa.Table):
        return table.to_pylist()  # type: ignore[no-any-return]
    return list(table.to_dict("records") if hasattr(table, "iloc") else table.to_dicts())


def cosine(first: str, second: str) -> float:
    left, right = vector_of(ARTWORKS[first]), vector_of(ARTWORKS[second])
    return float(left @ right / np.linalg.norm(left) / np.linalg.norm(right))


def check_vectors(table: Any) -> None:
    """Each artwork has one row, and the row holds the artwork's vector."""
    by_artwork = {row["artwork_id"]: row["vector"] for row in rows_of(table)}
    assert sorted(row["artwork_id"] for row in rows_of(table)) == sorted(ARTWORKS)
    for artwork, content in ARTWORKS.items():
        np.testing.assert_array_equal(np.asarray(by_artwork[artwork]), vector_of(content))


def check_nearest(table: Any) -> None:
    """Each artwork's neighbour has the nearest vector, and the distance agrees with the cosine."""
    rows = rows_of(table)
    assert {row["query_id"] for row in rows} == set(ARTWORKS)
    for row in rows:
        query, near = row["query_id"], row["neighbour_id"]
        best = max(cosine(query, other) for other in ARTWORKS if other != query)
        assert cosine(query, near) == pytest.approx(best, abs=1e-6)
        said = row["cosine"] if "cosine" in row else 1 - row["distance"] ** 2 / 2
        assert said == pytest.approx(best, abs=1e-6)


def check_count(rows: Any) -> None:
    assert len(rows) == 2 * len(ARTWORKS)
    assert set(rows.column_names if hasattr(rows, "column_names") else rows.columns) == set(
        schemas.NEIGHBOURS.names
    )


def check_found(table: Any) -> None:
    assert set(table["artwork_id"]) == {"a", "b"}


def check_cosines(cosines: Any) -> None:
    """The first artwork's vector against the two nearest: its own, and that of the same file."""
    np.testing.assert_allclose(np.asarray(cosines), [1, 1], atol=1e-5)


def test_no_column_is_called_by_a_reserved_word() -> None:
    duckdb = pytest.importorskip("duckdb")
    words = duckdb.sql(
        "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category = 'reserved'"
    )
    reserved = {word for (word,) in words.fetchall()}
    tables = {name: value for name, value in vars(schemas).items() if isinstance(value, pa.Schema)}
    assert len(tables) > 10
    named = {f"{name}.{column}" for name, table in tables.items() for column in table.names}
    assert {name for name in named if name.partition(".")[2] in reserved} == set()
    assert "group" in reserved

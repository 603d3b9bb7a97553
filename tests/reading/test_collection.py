"""A collection from Python: neighbours against brute force, vectors against those given, and each way in
which opening fails."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st
from PIL import Image

import simsearch
from simsearch import schemas
from simsearch.errors import (
    MismatchError,
    NotFoundError,
    SimsearchError,
    StorageError,
    UnknownNameError,
    UsageError,
)
from simsearch.images.thumbnails import encode, thumbnail_path
from simsearch.reading.picture_row import MOST_BYTES, MOST_PICTURES
from simsearch.storage.storage import Storage
from tests.support.given_snapshots import publish_vectors
from tests.support.spaces import SPACE

IDS = ["a", "a!", "b--c", "broken-not", "d-1", "é"]
HEAVY = ("torch", "ray", "fastapi", "matplotlib", "scipy", "annoy", "httpx", "aiohttp")


def given_vectors(count: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.normal(size=(count, SPACE.dimension)).astype(np.float32)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A root with artworks whose ids sort in odd ways, two of which show the same bytes."""
    root = str(tmp_path_factory.mktemp("collection") / "root")
    vectors = given_vectors(len(IDS))
    vectors[5] = vectors[1]
    content = [f"{place % 5 if place == 5 else place:064x}" for place in (0, 1, 2, 3, 4, 1)]
    titles = ["<script>alert(1)</script>", '"&', None, "d", "e", "é"]
    publish_vectors(Storage(root), IDS, vectors, copied=IDS[:2], content=content, titles=titles)
    return root


@pytest.mark.slow
@bounded(max_examples=10, deadline=None)
@given(
    kinds=st.lists(st.integers(0, 3), min_size=1, max_size=9),
    copied=st.sets(st.integers(0, 8)),
    n=st.integers(1, 12),
    data=st.data(),
)
def test_neighbours_are_those_of_brute_force_over_the_vectors(
    kinds: list[int], copied: set[int], n: int, data: st.DataObject,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    ids = [f"a{place}" for place in range(len(kinds))]
    base = given_vectors(4)
    base[3] = 0
    root = str(tmp_path_factory.mktemp("law") / "root")
    publish_vectors(
        Storage(root),
        ids,
        base[kinds],
        copied=[name for place, name in enumerate(ids) if place in copied],
    )
    collection = simsearch.open(root)
    space, asked = collection.space("test"), data.draw(st.sampled_from(range(len(ids))))
    units = space.vectors.astype(np.float64)
    squared = ((units - units[asked]) ** 2).sum(axis=1)
    empty = np.asarray(~units.any(axis=1))
    squared[empty | empty[asked]] = 2  # a zero vector is at right angles to all, itself too
    order = [
        other for other in np.lexsort((np.arange(len(ids)), squared.round(9))) if other != asked
    ]
    matches = space.neighbours(ids[asked], n)
    assert [match.artwork.artwork_id for match in matches] == [ids[other] for other in order[:n]]
    assert [match.rank for match in matches] == list(range(1, len(matches) + 1))
    cosines = [1 - squared[other] / 2 for other in order[:n]]
    np.testing.assert_allclose([match.cosine for match in matches], cosines, atol=1e-6)


@pytest.mark.parametrize("copied", [[], IDS[:2], [IDS[0], IDS[2]], IDS])
def test_row_i_of_the_vectors_is_artwork_i(copied: list[str], tmp_path: Path) -> None:
    vectors = given_vectors(len(IDS))
    content = ["0" * 64] * len(IDS)  # all show the same bytes
    publish_vectors(Storage(str(tmp_path / "root")), IDS, vectors, copied=copied, content=content)
    collection = simsearch.open(tmp_path / "root")
    space = collection.space("test")
    ids = [artwork.artwork_id for artwork in collection.artworks]
    assert ids == sorted(IDS) == [artwork.artwork_id for artwork in collection.artworks[:]]
    wanted = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    for row, name in zip(space.vectors, ids, strict=True):
        np.testing.assert_allclose(row, wanted[IDS.index(name)], atol=1e-6)
    assert space.vectors.dtype == np.float32
    assert not space.vectors.flags.writeable
    base: object = space.vectors
    while getattr(base, "base", None) is not None:
        base = base.base  # type: ignore[attr-defined]
    assert type(base).__name__ == "mmap"


def test_artworks_that_share_their_bytes_have_a_vector_each(root: str) -> None:
    space = simsearch.open(root).space("test")
    (first,) = space.neighbours("é", n=1)
    assert (first.artwork.artwork_id, first.cosine) == ("a!", 1)


def test_a_collection_says_what_it_holds(root: str) -> None:
    collection = simsearch.open(root)
    assert collection.snapshots == (collection.snapshot_id,)
    assert collection.at(collection.snapshot_id[:5]).artworks == collection.artworks
    assert [space.name for space in collection.spaces] == ["test"]
    assert collection.metrics.schema == schemas.METRICS
    assert collection.artworks.to_table().schema == schemas.CATALOG
    assert collection.artwork("a").artists == ("Ada",)
    assert collection.artworks[-1] == collection.artwork("é")
    assert repr(collection.artworks) == "<6 artworks: 'a', 'a!', 'b--c', …>"
    matches = collection.space("test").neighbours(collection.artworks[0], n=4)
    assert len(matches[1:3]) == 2
    table = matches.to_table()
    assert table["artwork_id"].to_pylist() == [match.artwork.artwork_id for match in matches]
    assert matches.to_pandas()["cosine"].tolist() == table["cosine"].to_pylist()


def test_to_pandas_names_the_extra_that_is_missing(
    root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simsearch.settings.extras.find_spec", lambda _: None)
    with pytest.raises(
        UsageError, match=r'needs the extra \'pandas\'; pip install "simsearch\[pan'
    ):
        simsearch.open(root).artworks.to_pandas()
    with pytest.raises(UsageError, match=r"the extra 'run'"):
        simsearch.open(root).space("test").search("photo.jpg")


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.texts: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.sources += [value or "" for name, value in attrs if name == "src"]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_a_row_of_pictures_is_escaped_and_bounded(tmp_path: Path) -> None:
    count = MOST_PICTURES + 3
    ids = [f"a{place:02}" for place in range(count)]
    storage = Storage(str(tmp_path / "root"))
    hostile = '<img src=x onerror="alert(1)">'
    publish_vectors(storage, ids, given_vectors(count), titles=[hostile] * count)
    small = encode(Image.new("RGB", (9, 9)), 96)
    storage.write_bytes(thumbnail_path(f"{0:064x}", 96), small)
    storage.write_bytes(thumbnail_path(f"{0:064x}", 400), b"x" * (MOST_BYTES + 1))
    storage.write_bytes(thumbnail_path(f"{1:064x}", 400), small[:-1])  # cut
    artworks = simsearch.open(tmp_path / "root").artworks
    parser = Tags()
    parser.feed(artworks._repr_html_())
    assert set(parser.names) == {"div", "figure", "img", "figcaption", "br", "p"}
    assert parser.names.count("figure") == MOST_PICTURES
    assert parser.texts.count(hostile) == MOST_PICTURES
    assert parser.sources == [f"data:image/webp;base64,{base64.b64encode(small).decode()}"]
    assert parser.texts[-1] == "and 3 more"


@pytest.mark.parametrize("n", [0, -1, 1.5, "3", None])
def test_matches_are_asked_for_by_a_number(root: str, n: object) -> None:
    with pytest.raises(UsageError, match="ask for 1 or more"):
        simsearch.open(root).space("test").neighbours("a", n)  # type: ignore[arg-type]


def test_what_is_not_there_is_named(root: str, tmp_path: Path) -> None:
    collection = simsearch.open(root)
    with pytest.raises(
        NotFoundError, match=r"'broken': no vector .* by decode, not an image \(HTML"
    ):
        collection.space("test").neighbours("broken")
    with pytest.raises(NotFoundError, match="'nobody': no artwork of that id"):
        collection.artwork("nobody")
    with pytest.raises(UnknownNameError, match="no space named 'vgg16'; known: test"):
        collection.space("vgg16")
    with pytest.raises(NotFoundError, match=r"'umap': no such map of test .* it has none"):
        collection.space("test").positions()
    with pytest.raises(UsageError, match="no simsearch root"):
        simsearch.open(tmp_path)
    (tmp_path / "simsearch.json").write_bytes((Path(root) / "simsearch.json").read_bytes())
    with pytest.raises(NotFoundError, match="no published snapshot here"):
        simsearch.open(tmp_path)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def garble(path: Path) -> None:
    path.write_bytes(b"x" * path.stat().st_size)


@pytest.mark.parametrize("damage", [empty, halve, garble, Path.unlink])
def test_a_damaged_file_is_named_in_one_line(
    damage: Callable[[Path], None], tmp_path: Path
) -> None:
    root = tmp_path / "root"
    snapshot = publish_vectors(Storage(str(root)), IDS, given_vectors(len(IDS)))
    folder = root / snapshot.folder
    files = [
        *(folder / name for name in ("plan.json", "images/images.parquet", "manifest.json")),
        *(folder / "indexes/test" / name for name in ("manifest.json", "vectors.npy")),
        *(root / "catalog").glob("*.parquet"),
        root / "LATEST",
        root / "simsearch.json",
    ]
    for path in files:
        whole = path.read_bytes()
        damage(path)
        with pytest.raises(SimsearchError) as caught:
            simsearch.open(root).space("test").neighbours("a")
        assert isinstance(caught.value, StorageError | MismatchError | UsageError), caught.value
        assert "\n" not in str(caught.value)
        named = "no published snapshot" in str(caught.value) or path.name in str(caught.value)
        assert named or str(path.parent) in str(caught.value) or str(root) in str(caught.value)
        path.write_bytes(whole)
    assert len(simsearch.open(root).space("test").neighbours("a")) == 5


@pytest.mark.slow
def test_reading_imports_no_heavy_package(root: str) -> None:
    """Importing takes no time, and neighbours need only the base install."""
    code = (
        "import simsearch, sys\n"
        f"heavy = {HEAVY}\n"
        "assert not {'numpy', 'pyarrow', 'pydantic', *heavy} & set(sys.modules), 'import'\n"
        f"matches = simsearch.open({root!r}).space('test').neighbours('a', n=2)\n"
        "matches._repr_html_()\n"
        "print(len(matches), sorted(set(heavy) & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=os.environ
    )
    assert (done.stdout, done.returncode) == ("2 []\n", 0), done.stderr

"""The vectors that a catalog lacks, against sets of Python tuples that list them one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simsearch import schemas
from simsearch.errors import IncompleteError
from simsearch.extraction.missing import Missing, choose_originals
from simsearch.features.store import write_shard
from simsearch.schemas import image_id
from simsearch.settings.config import Config, load_config
from simsearch.storage.parts import write_part
from simsearch.storage.storage import Storage
from tests.support.spaces import SPACE

SPACES = (SPACE, replace(SPACE, name="other", encoder="other"))
PROFILES = ("grayscale", "sharpen")
VARIANTS = (None, *PROFILES)

contents = st.sampled_from(["p", "q", "r", "s"])
vectors = st.sets(st.tuples(contents, st.sampled_from([*VARIANTS, "blur-1"])))


@dataclass(frozen=True)
class World:
    """Artworks as (etag, what was last read of that file, whether it was refused), and the vectors
    stored of two spaces."""

    artworks: list[tuple[str | None, str | None, bool]]
    stored: tuple[set[tuple[str, str | None]], ...]
    originals: int


worlds = st.builds(
    World,
    st.lists(
        st.tuples(st.sampled_from(["1", "2", None]), st.none() | contents, st.booleans()),
        min_size=1,
        max_size=8,
    ),
    st.tuples(vectors, vectors),
    st.integers(1, 4),
)


def config_of(world: World) -> Config:
    profiles = ",".join(PROFILES)
    words = [f"perturbations.profiles=[{profiles}]", f"perturbations.originals={world.originals}"]
    return load_config(None, words)


def build(world: World, folder: Path) -> tuple[Storage, pa.Table]:
    storage = Storage(str(folder))
    rows: list[dict[str, Any]] = [
        {"artwork_id": f"a{number}", "image_uri": f"file:///{number}", "etag": etag}
        for number, (etag, _, _) in enumerate(world.artworks)
    ]
    for row, (etag, content, refused) in zip(rows, world.artworks, strict=True):
        if content is not None:
            old = {**row, "etag": "older", "content_hash": "another"}
            write_part(storage, "sources", [old], schemas.SOURCES)
            write_part(storage, "sources", [{**row, "content_hash": content}], schemas.SOURCES)
        if refused:
            reject = {**row, "stage": "decode", "reason": "broken", "detail": etag}
            write_part(storage, "rejects", [reject], schemas.REJECTS)
    for space, held in zip(SPACES, world.stored, strict=True):
        for content, profile in sorted(held, key=str):
            image = {"image_id": "x", "artwork_id": "x", "profile": profile}
            table = pa.Table.from_pylist(
                [{**image, "content_hash": content}], schema=schemas.IMAGES
            )
            write_shard(storage, space, table, np.ones((1, space.dimension), np.float32))
    catalog = pa.Table.from_pylist(rows, schema=schemas.CATALOG)
    return storage, catalog


def needs_of(world: World, ids: list[str], copied: frozenset[str]) -> dict[str, list[list[bool]]]:
    """For each artwork, variant and space whether a vector is missing, asked of sets one by one."""
    known = [content if etag else None for etag, content, _ in world.artworks]
    return {
        artwork_id: [
            [
                (profile is None or artwork_id in copied)
                and (content is None or (content, profile) not in held)
                for held in world.stored
            ]
            for profile in VARIANTS
        ]
        for artwork_id, content in zip(ids, known, strict=True)
    }


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    return iter(lambda: tmp_path_factory.mktemp("root"), None)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(world=worlds)
def test_the_table_says_what_sets_say(roots: Iterator[Path], world: World) -> None:
    config = config_of(world)
    storage, catalog = build(world, next(roots))
    table = Missing.read(config, storage, catalog, SPACES)
    ids = catalog["artwork_id"].to_pylist()
    need = needs_of(world, ids, choose_originals(config, ids))
    assert table.missing.tolist() == [need[artwork_id] for artwork_id in ids]
    assert [space.distinct for space in table.stored] == [len(held) for held in world.stored]

    refused = {ids[n] for n, (_, _, was_refused) in enumerate(world.artworks) if was_refused}
    left = {artwork_id: flags for artwork_id, flags in need.items() if np.any(flags)}
    for retry in (False, True):
        todo = table.todo(retry_rejects=retry)
        listed = list(zip(todo.flags.tolist(), todo.rows["artwork_id"].to_pylist(), strict=True))
        expected = {key: flags for key, flags in left.items() if retry or key not in refused}
        assert {artwork_id: flags for flags, artwork_id in listed} == expected
        assert listed == sorted(listed, reverse=True)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(world=worlds)
def test_vectors_of_pictures_that_no_source_names_are_orphans(
    roots: Iterator[Path], world: World
) -> None:
    storage, catalog = build(world, next(roots))
    table = Missing.read(config_of(world), storage, catalog, SPACES)
    known = {content for etag, content, _ in world.artworks if etag}
    orphans = {
        content: [[(content, profile) in held for held in world.stored] for profile in VARIANTS]
        for content in "pqrs"
        if content not in known
    }
    stored = table.orphans()
    assert {key: stored.held[row].tolist() for key, row in stored.rows.items()} == {
        key: flags for key, flags in orphans.items() if np.any(flags)
    }


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(world=worlds)
def test_artworks_are_whole_or_have_a_reason(roots: Iterator[Path], world: World) -> None:
    config = config_of(world)
    storage, catalog = build(world, next(roots))
    table = Missing.read(config, storage, catalog, SPACES)
    ids = catalog["artwork_id"].to_pylist()
    copied = choose_originals(config, ids)
    need = needs_of(world, ids, copied)
    complete = {
        artwork_id: content
        for artwork_id, (etag, content, _) in zip(ids, world.artworks, strict=True)
        if etag and content is not None and not np.any(need[artwork_id])
    }
    expected = [
        {
            "image_id": image_id(artwork_id, profile),
            "artwork_id": artwork_id,
            "profile": profile,
            "content_hash": content,
        }
        for artwork_id, content in complete.items()
        for profile in (VARIANTS if artwork_id in copied else VARIANTS[:1])
    ]
    assert table.images().to_pylist() == sorted(expected, key=lambda row: str(row["image_id"]))
    refused = {ids[n] for n, (_, _, was_refused) in enumerate(world.artworks) if was_refused}
    if set(ids) - set(complete) <= refused:
        assert table.rejects()["artwork_id"].to_pylist() == sorted(set(ids) - set(complete))
    else:
        with pytest.raises(IncompleteError):
            table.rejects()

"""Which vectors a catalog lacks: against sets of Python tuples, which say it one by one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simsearch import schemas
from simsearch.config import Config, load_config
from simsearch.errors import IncompleteError
from simsearch.extraction.missing import Missing, choose_originals
from simsearch.features.store import write_shard
from simsearch.schemas import image_id
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


@settings(max_examples=60, deadline=None)
@given(world=worlds)
def test_the_table_says_what_sets_say(
    tmp_path_factory: pytest.TempPathFactory, world: World
) -> None:
    config = config_of(world)
    storage, catalog = build(world, tmp_path_factory.mktemp("root"))
    found = Missing.read(config, storage, catalog, SPACES)
    ids = catalog["artwork_id"].to_pylist()
    copied = choose_originals(config, ids)
    known = [content if etag else None for etag, content, _ in world.artworks]
    need = {
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
    assert found.missing.tolist() == [need[artwork_id] for artwork_id in ids]

    refused = {ids[n] for n, (_, _, was_refused) in enumerate(world.artworks) if was_refused}
    left = {
        artwork_id: bytes(np.array(mask, np.uint8).tobytes())
        for artwork_id, mask in need.items()
        if np.any(mask)
    }
    for retry in (False, True):
        todo = found.todo(retry_rejects=retry).to_pylist()
        expected = {key: mask for key, mask in left.items() if retry or key not in refused}
        assert {row["artwork_id"]: row["need"] for row in todo} == expected
        order = [(row["need"], row["artwork_id"]) for row in todo]
        assert order == sorted(order, reverse=True)

    orphans = {
        content: bytes(
            np.array(
                [[(content, profile) in held for held in world.stored] for profile in VARIANTS],
                np.uint8,
            ).tobytes()
        )
        for content in "pqrs"
        if content not in known
    }
    assert found.orphans() == {key: mask for key, mask in orphans.items() if any(mask)}

    complete = {
        artwork_id: content
        for artwork_id, content in zip(ids, known, strict=True)
        if content is not None and not np.any(need[artwork_id])
    }
    assert found.images().to_pylist() == sorted(
        (
            {
                "image_id": image_id(artwork_id, profile),
                "artwork_id": artwork_id,
                "profile": profile,
                "content_hash": content,
            }
            for artwork_id, content in complete.items()
            for profile in (VARIANTS if artwork_id in copied else VARIANTS[:1])
        ),
        key=lambda row: str(row["image_id"]),
    )
    if set(ids) - set(complete) <= refused:
        rejects = found.rejects()["artwork_id"].to_pylist()
        assert rejects == sorted(set(ids) - set(complete))
    else:
        with pytest.raises(IncompleteError):
            found.rejects()
    assert [space.distinct for space in found.stored] == [len(held) for held in world.stored]

"""A root's records beside its snapshots, after an artwork was taken down, lack only that artwork."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa

from simsearch import schemas
from simsearch.catalog.stored import write_catalog
from simsearch.catalog.stored_downloads import FOLDER, STATE, download_name
from simsearch.features import store as feature_store
from simsearch.neighbours.earlier import lists_table, matrix_of
from simsearch.neighbours.lists import Lists
from simsearch.reading.stored_sets import list_sets
from simsearch.runs.forgetting.forget import find_removal, forget
from simsearch.runs.forgetting.sealed import _remove_items
from simsearch.runs.operations.lease import hold_lease
from simsearch.settings.config import Config, load_config
from simsearch.snapshots.root import open_root
from simsearch.storage.parts import read_parts, write_part
from simsearch.storage.storage import Storage
from tests.support.explorer_site import space_of

GONE, OTHER = "a/1", "a-1"  # read alike in the name of a file
URL = "https://museum.example/1.jpg"


def take_down(storage: Storage, config: Config, artwork_id: str = GONE) -> None:
    with hold_lease(storage, config.lease) as lease:
        forget(config, storage, find_removal(storage, artwork_id), lease)


def catalogued(folder: Path, title: str = "Night Watch") -> tuple[Storage, Config]:
    """A root whose catalog has two artworks of one title and one image address."""
    config = load_config(None, [f"root={folder}"])
    storage = Storage(config.root)
    open_root(storage)
    rows = [
        {"artwork_id": name, "title": title, "image_uri": URL, "etag": "e"}
        for name in (GONE, OTHER)
    ]
    write_catalog(storage, pa.Table.from_pylist(rows, schema=schemas.CATALOG))
    return storage, config


def downloaded(storage: Storage, artwork_id: str, content: str, *, noted: bool) -> str:
    name = download_name({"artwork_id": artwork_id, "image_uri": URL})
    file = f"{name}-{content * 32}.png"
    storage.write_bytes(f"{FOLDER}/{file}", b"picture")
    if noted:
        row = {"name": name, "url": URL, "file": file, "checked": 1.0}
        write_part(storage, STATE, [row], schemas.DOWNLOADS)
    return file


def test_downloads_of_it_go_and_those_of_another_at_the_same_address_stay(tmp_path: Path) -> None:
    storage, config = catalogued(tmp_path)
    downloaded(storage, GONE, "a", noted=True)
    downloaded(storage, GONE, "b", noted=False)  # the picture that the address had before
    stays = downloaded(storage, OTHER, "c", noted=True)
    take_down(storage, config)
    assert [info.path for info in storage.files(FOLDER)] == [stays]
    journal = read_parts(storage, STATE, schemas.DOWNLOADS).to_pylist()
    assert [row["file"] for row in journal] == [stays]


def test_run_records_lose_words_and_no_fields(tmp_path: Path) -> None:
    """A title may be any word, one of the record's own too."""
    storage, config = catalogued(tmp_path, "published")
    record = {
        "outcome": "published",
        "error": f"{GONE}: “published” is cut off",
        "steps": [{"name": "published", "note": "a published one"}],
    }
    storage.write_json("runs/20260101T000000Z-ab.json", record)
    storage.write_bytes("runs/20260101T000000Z-cd.json", b"\xff no record")
    take_down(storage, config)
    assert storage.read_json("runs/20260101T000000Z-ab.json") == {
        "outcome": "published",
        "error": "(taken down): “(taken down)” is cut off",
        "steps": [{"name": "published", "note": "a (taken down) one"}],
    }


def test_a_short_id_and_a_short_title_go_where_they_are_an_artworks(tmp_path: Path) -> None:
    """A text of three letters may also be a count, or a word of another's prose."""
    storage, config = catalogued(tmp_path, "404")
    for number, error in enumerate(
        ("a/1: 404 rows", "'404' is cut off", "404 of a/1b (first: a/1)", "no 404: (first: a/12)")
    ):
        storage.write_json(f"runs/20260101T000000Z-a{number}.json", {"error": error})
    names = ("Like 404, given", "Like 4040, given", "Like a detail of 404", "From 404 to 404")
    for number, name in enumerate((*names, "my 404 works")):
        values = {"name": name, "created": "2026", "artwork_ids": [OTHER]}
        storage.write_json(f"sets/{number:016x}.json", values)
    take_down(storage, config)
    errors = [storage.read_json(f"runs/{info.path}")["error"] for info in storage.files("runs")]
    assert sorted(errors) == [
        "'(taken down)' is cut off",
        "(taken down): 404 rows",
        "404 of a/1b (first: (taken down))",
        "no 404: (first: a/12)",
    ]
    taken = "an artwork that was taken down"
    assert {stored.name for stored in list_sets(storage)[0]} == {
        f"Like {taken}, given",
        "Like 4040, given",
        f"Like a detail of {taken}",
        f"From {taken} to {taken}",
        "my 404 works",
    }


def test_the_other_rows_of_a_table_keep_their_order(tmp_path: Path) -> None:
    """The newest row counts: one that is stored again must not come after its successor."""
    storage, config = catalogued(tmp_path)
    reject = {"image_uri": URL, "stage": "decode"}
    first = [
        {**reject, "artwork_id": GONE, "reason": "old"},
        {**reject, "artwork_id": OTHER, "reason": "old"},
    ]
    write_part(storage, "rejects", first, schemas.REJECTS)
    write_part(
        storage, "rejects", [{**reject, "artwork_id": OTHER, "reason": "new"}], schemas.REJECTS
    )
    take_down(storage, config)
    rows = read_parts(storage, "rejects", schemas.REJECTS).to_pylist()
    assert [(row["artwork_id"], row["reason"]) for row in rows] == [(OTHER, "old"), (OTHER, "new")]


def test_a_shard_still_says_who_computed_its_vectors(tmp_path: Path) -> None:
    storage, config = catalogued(tmp_path)
    space = space_of("given", 3, "d", "")
    rows = pa.Table.from_pylist(
        [
            {"image_id": name, "artwork_id": name, "profile": None, "content_hash": name}
            for name in (GONE, OTHER)
        ],
        schema=schemas.IMAGES,
    )
    feature_store.write_shard(storage, space, rows, np.eye(2, 3, dtype=np.float32), ["here"])
    take_down(storage, config)
    (info,) = storage.files("features")
    shard = storage.read_table(f"features/{info.path}")
    assert shard["artwork_id"].to_pylist() == [OTHER]
    assert feature_store.installations_of(shard) == {"here"}
    assert json.loads(shard.schema.metadata[feature_store.METADATA_KEY]) == space.to_json()


def test_it_goes_from_what_was_learned_from(tmp_path: Path) -> None:
    storage, config = catalogued(tmp_path)
    rows = [{"artwork_id": name, "content_hash": name} for name in (GONE, OTHER)]
    table = pa.Table.from_pylist(rows, schema=schemas.LEARNED_FROM)
    storage.write_table("trained/head-1/learned_from.parquet", table)
    storage.write_bytes("trained/head-1/weights.safetensors", b"learned")
    storage.write_bytes("trained/head-1/examples.safetensors", b"pictures of anyone")
    take_down(storage, config)
    left = storage.read_table("trained/head-1/learned_from.parquet")
    assert left["artwork_id"].to_pylist() == [OTHER]
    assert [info.path for info in storage.files("trained/head-1")] == [
        "learned_from.parquet",
        "weights.safetensors",
    ]


def test_a_list_closes_over_the_gap_and_keeps_its_horizon() -> None:
    """The next snapshot's lists are made of it: items that are gone may not count as known."""
    kept = Lists(
        np.array([[1, 2], [0, 2], [1, 0]]),
        np.array([[0.1, 0.2], [0.1, 0.3], [0.3, 0.2]]),
        np.array([0.4, 0.5, np.inf]),
    )
    names = {"profile": [None] * 3, "content_hash": ["x", "y", "z"]}
    images = pa.table(
        {"image_id": ["x", "y", "z"], "artwork_id": ["x", "y", "z"], **names},
        schema=schemas.IMAGES,
    )
    table = _remove_items(lists_table(kept), images, np.array([1]))
    assert table is not None
    assert matrix_of(table, "items").tolist() == [[2, -1], [-1, -1], [0, -1]]
    assert matrix_of(table, "squared").tolist() == [[0.2, np.inf], [np.inf] * 2, [0.2, np.inf]]
    assert table["horizon"].to_pylist() == [0.4, 0.5, np.inf]

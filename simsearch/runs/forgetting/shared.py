"""Remove an artwork from the files that all snapshots of a root share: catalogs, vectors, pictures, notes,
sets."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simsearch import schemas
from simsearch.catalog.iiif_library import STATE as IIIF
from simsearch.catalog.stored_downloads import STATE as DOWNLOADS
from simsearch.catalog.stored_downloads import are_downloads_of
from simsearch.encoders.trained import EXAMPLES, LEARNED_FROM
from simsearch.encoders.trained import FOLDER as TRAINED
from simsearch.features import store as feature_store
from simsearch.features.points import AGREEMENTS_FOLDER, agreements_parts, points_parts
from simsearch.features.points import FOLDER as POINTS
from simsearch.features.space import FeatureSpace
from simsearch.images import thumbnails
from simsearch.judgements.judgements import judgement_parts
from simsearch.judgements.verdicts import verdict_parts
from simsearch.reading.stored_sets import forget_artwork
from simsearch.runs.forgetting.trace import Trace
from simsearch.runs.record import FOLDER as RUNS
from simsearch.storage.damage import FOLDER as DAMAGED
from simsearch.storage.inside import resolve
from simsearch.storage.parquet import encode_table
from simsearch.storage.parts import PART, list_parts, part_name
from simsearch.storage.storage import Storage, list_leftovers

TRAINING = "training"  # folder of the pixels that unfinished trainings have decoded
SHORTEST_WORD = 4  # letters: shorter texts also stand in documents about other artworks
PROSE = ("error", "note")  # the parts of a run record that quote words of the collection

Chosen = Callable[[pa.Table], pa.Array]


def remove_from_catalogs(storage: Storage, trace: Trace) -> None:
    """Take the artwork out of every catalog. Catalogs keep their names, as plans and snapshots use them."""
    for info in storage.files("catalog"):
        path = f"catalog/{info.path}"
        if path.endswith(".parquet"):
            table = storage.read_table(path)
            kept = table.filter(pc.field("artwork_id") != trace.artwork_id)
            if kept.num_rows < table.num_rows:
                storage.write_table(path, kept)


def store_stand_ins(
    storage: Storage, spaces: Iterable[FeatureSpace], profiles: Iterable[str], stand_in: str
) -> None:
    """Store vectors of zeros in place of the artwork's, for its original and each copy."""
    rows = stand_in_rows(profiles, stand_in)
    for space in spaces:
        zeros = np.zeros((rows.num_rows, space.dimension), np.float32)
        feature_store.write_shard(storage, space, rows, zeros)


def stand_in_rows(profiles: Iterable[str], stand_in: str) -> pa.Table:
    """schemas.IMAGES of the original and the copies of an artwork that is a stand-in."""
    rows = [
        {
            "image_id": schemas.image_id(stand_in, profile),
            "artwork_id": stand_in,
            "profile": profile,
            "content_hash": stand_in,
        }
        for profile in (None, *profiles)
    ]
    return pa.Table.from_pylist(rows, schema=schemas.IMAGES)


def remove_vectors(storage: Storage, trace: Trace) -> None:
    """Remove the vectors of the artwork's pictures. For a picture that other artworks show too, only the
    artwork's name is removed."""
    for info in storage.files("features"):
        if not PART.fullmatch(info.path.rpartition("/")[2]):
            continue
        path = f"features/{info.path}"
        keys = storage.read_table(path, ["artwork_id", "content_hash"])
        if not pc.any(_or(_names_artwork(keys, trace), _shows_picture(keys, trace))).as_py():
            continue
        table = storage.read_table(path)
        space, makers = feature_store.space_of(table), feature_store.installations_of(table)
        table = _rename(table.filter(pc.invert(_shows_picture(table, trace))), trace)
        written = None
        if table.num_rows:
            rows = table.select(schemas.IMAGES.names)
            vectors = feature_store.vectors_of(table)
            written = feature_store.write_shard(storage, space, rows, vectors, makers)
        if written == path:  # the name follows from pictures and profiles, not from artworks
            continue
        storage.delete(path)


def remove_points(storage: Storage, trace: Trace) -> None:
    """Remove the local features of the artwork's pictures, and what was found and said of them beside
    others."""
    gone = pa.array(sorted(trace.hashes), pa.string())

    def of_artwork(table: pa.Table) -> pa.Array:
        names = [name for name in table.column_names if name.endswith("_hash")]
        return _or(*(pc.is_in(table[name], value_set=gone) for name in names))

    for folder, parts_of in ((POINTS, points_parts), (AGREEMENTS_FOLDER, agreements_parts)):
        for name in sorted({info.path.partition("/")[0] for info in storage.files(folder)}):
            parts_of(storage, name).remove(of_artwork)
    verdict_parts(storage).remove(of_artwork)
    judgement_parts(storage).remove(of_artwork)


def _rename(table: pa.Table, trace: Trace) -> pa.Table:
    """Rows of pictures that others show, under the first of the others' names."""
    if not trace.shared_with or not pc.any(_names_artwork(table, trace)).as_py():
        return table
    rows = table.drop_columns(["vector"]).to_pylist()
    other = trace.shared_with[0]
    for row in rows:
        if row["artwork_id"] == trace.artwork_id:
            row |= {"artwork_id": other, "image_id": schemas.image_id(other, row["profile"])}
    renamed = pa.Table.from_pylist(rows, schema=schemas.IMAGES)
    return renamed.append_column("vector", table["vector"])


def remove_pictures(storage: Storage, trace: Trace) -> None:
    """Remove the artwork's thumbnails, and its images below the root that no other artwork has."""
    for info in storage.files(thumbnails.FOLDER):
        if thumbnails.hash_of_path(info.path) in trace.hashes:
            storage.delete(f"{thumbnails.FOLDER}/{info.path}")
    below = storage.uri("").rstrip("/") + "/"
    for address in trace.addresses:
        if address.startswith(below):
            storage.delete(address.removeprefix(below))


def remove_notes(storage: Storage, trace: Trace) -> None:
    """Remove the notes on the artwork: digests, rejects, downloads, IIIF documents, words in run records."""
    long = {word for word in trace.words if len(word) >= SHORTEST_WORD}
    words = sorted({*long, *trace.addresses})

    def noted(table: pa.Table) -> pa.Array:
        chosen = [
            _is_in(table, name, values)
            for name, values in (
                ("artwork_id", {trace.artwork_id}),
                ("content_hash", trace.hashes),
                ("image_uri", trace.addresses),
            )
            if name in table.column_names
        ]
        return _or(*chosen)

    for folder in ("sources", "rejects"):
        _rewrite_parts(storage, folder, noted)
    _rewrite_parts(storage, DOWNLOADS, lambda table: are_downloads_of(table, trace.artwork_id))
    _rewrite_parts(storage, IIIF, lambda table: _mentions(table["content"], words))
    _rewrite_records(storage, trace)


def remove_from_training(storage: Storage, trace: Trace) -> None:
    """Take the artwork out of the lists of artworks that trainings saw. Example pictures, and pixels that an
    unfinished training has decoded, are all removed: they do not say to which artworks they belong."""
    for info in storage.files(TRAINED):
        path = f"{TRAINED}/{info.path}"
        if path.endswith(f"/{EXAMPLES}"):
            storage.delete(path)
        if path.endswith(f"/{LEARNED_FROM}"):
            table = storage.read_table(path)
            gone = _or(_names_artwork(table, trace), _shows_picture(table, trace))
            if pc.any(gone).as_py():
                storage.write_table(path, table.filter(pc.invert(gone)))
    for folder in (TRAINING, DAMAGED):
        for info in storage.files(folder):
            storage.delete(f"{folder}/{info.path}")


def remove_from_sets(storage: Storage, trace: Trace) -> None:
    forget_artwork(storage, trace.artwork_id, trace.words)


def remove_leftovers(storage: Storage, older_than: float) -> None:
    """Remove temporary files of killed processes, as their content is unknown. No other process writes for
    longer than a moment while this one holds the lease."""
    for info in list_leftovers(storage.root, storage.config):
        if info.modified < older_than:
            storage.delete(info.path)


def _rewrite_parts(storage: Storage, folder: str, noted: Chosen) -> None:
    """Take the rows that are `noted` out of an append-only table. All its parts become one: a rewritten part
    would be the newest, and its rows would come after those that replaced them."""
    parts = sorted(list_parts(storage, folder), key=lambda info: (info.modified, info.path))
    tables = [storage.read_table(f"{folder}/{info.path}") for info in parts]
    gone = [noted(resolve(storage.root, table)) for table in tables]
    if not any(pc.any(rows).as_py() for rows in gone):
        return
    left = [table.filter(pc.invert(rows)) for table, rows in zip(tables, gone, strict=True)]
    kept, written = pa.concat_tables(left, promote_options="default"), None
    if kept.num_rows:
        data = encode_table(kept)
        written = part_name(data)
        storage.write_bytes(f"{folder}/{written}", data)
    for info in parts:
        if info.path != written:
            storage.delete(f"{folder}/{info.path}")


def _rewrite_records(storage: Storage, trace: Trace) -> None:
    """Remove the artwork's id and words from the prose of run records, as errors and notes may quote them. A
    short word is only removed if it stands in quotes or at the beginning of a statement."""
    pattern = "|".join(map(_form, sorted({trace.artwork_id, *trace.words}, key=len, reverse=True)))
    for info in storage.files(RUNS):
        path = f"{RUNS}/{info.path}"
        if not path.endswith(".json"):
            continue
        try:
            record = json.loads(storage.read_bytes(path))
        except ValueError:
            continue  # no run wrote this file, and no page shows it
        rewritten = _remove_words(record, re.compile(pattern))
        if rewritten != record:
            storage.write_json(path, rewritten)


def _form(word: str) -> str:
    """The pattern of a word in prose."""
    text = re.escape(word)
    if len(word) >= SHORTEST_WORD:
        return rf"(?<!\w){text}(?!\w)"
    return rf"(?<=['\"“‘]){text}(?=['\"”’])|^{text}(?=: )|(?<=first: ){text}(?!\w)"


def _remove_words(value: Any, words: re.Pattern[str], name: str = "") -> Any:
    """The part `name` of a run record, with none of the `words` in its prose."""
    if isinstance(value, dict):
        return {key: _remove_words(below, words, key) for key, below in value.items()}
    if isinstance(value, list):
        return [_remove_words(below, words, name) for below in value]
    return words.sub("(taken down)", value) if isinstance(value, str) and name in PROSE else value


def _mentions(texts: pa.ChunkedArray, words: list[str]) -> pa.Array:
    """Whether each text contains one of the words, plain or escaped as in JSON."""
    forms = {form for word in words for form in (word, json.dumps(word)[1:-1])}
    mentioning = [any(form in (text or "") for form in forms) for text in texts.to_pylist()]
    return pa.array(mentioning, pa.bool_())


def _names_artwork(table: pa.Table, trace: Trace) -> pa.Array:
    return _is_in(table, "artwork_id", {trace.artwork_id})


def _shows_picture(table: pa.Table, trace: Trace) -> pa.Array:
    return _is_in(table, "content_hash", trace.hashes)


def _is_in(table: pa.Table, name: str, values: Iterable[str]) -> pa.Array:
    return pc.is_in(table[name], value_set=pa.array(sorted(values), pa.string()))


def _or(*chosen: pa.Array) -> pa.Array:
    first, *others = chosen
    for other in others:
        first = pc.or_(first, other)
    return first

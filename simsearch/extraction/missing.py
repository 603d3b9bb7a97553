"""The vectors that a catalog lacks, as a table of truth values made by Arrow joins.

A catalog of a million artworks with five copies each in three spaces needs eighteen million truth values,
18 MB. Sets of Python strings took tens of gigabytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from simsearch import schemas
from simsearch.catalog.sampling import seeded_sample
from simsearch.errors import IncompleteError
from simsearch.extraction.needs import Flags, Needs, Orphans
from simsearch.extraction.rejects import count_sharing, placeholder_row
from simsearch.features.compaction import UntidyShards, untidy_shards
from simsearch.features.space import FeatureSpace
from simsearch.features.store import StoredKeys, read_keys
from simsearch.schemas import image_ids
from simsearch.settings.config import Config
from simsearch.settings.sections.collection import PerturbationsConfig
from simsearch.storage.parts import read_parts
from simsearch.storage.storage import Storage


def choose_originals(config: Config, artwork_ids: Sequence[str]) -> frozenset[str]:
    """The artworks that get perturbed copies: a seeded sample, or all."""
    if not config.perturbations.profiles:
        return frozenset()
    return frozenset(seeded_sample(artwork_ids, config.perturbations.originals, config.seed))


def count_images(perturbations: PerturbationsConfig, artworks: int) -> int:
    """The number of images, originals and copies, of a number of artworks under these settings."""
    copied = min(artworks, perturbations.originals or artworks)
    return artworks + copied * len(perturbations.profiles)


@dataclass(frozen=True)
class StoredVectors:
    """The stored vectors of one space: `held` [contents, variants] marks those of the catalog's pictures,
    `strangers` has the keys of all others (content_hash, profile), `distinct` is the number of vectors."""

    held: Flags
    strangers: pa.Table
    distinct: int
    untidy: UntidyShards


@dataclass(frozen=True)
class Missing:
    """The vectors that a catalog needs, and those of them that are missing.

    `variants` are an artwork's images: the original (None), then its copies by profile. `wanted`
    [artworks, variants] marks the images that a run needs, `missing` [artworks, variants, spaces] those of
    their vectors that are not stored.
    """

    artworks: pa.Table  # artwork_id, image_uri, etag, content_hash (null: not known yet)
    variants: tuple[str | None, ...]
    wanted: Flags
    missing: Flags
    stored: tuple[StoredVectors, ...]
    rejected: Mapping[str, dict[str, Any]]  # artwork → its reject, if its image is still the same
    placeholder_artworks: int | None = None  # fewest artworks of a picture that is a placeholder

    @classmethod
    def read(
        cls, config: Config, storage: Storage, catalog: pa.Table, spaces: Sequence[FeatureSpace]
    ) -> Missing:
        artworks = _add_content_hashes(storage, catalog)
        variants = (None, *config.perturbations.profiles)
        hashes = artworks["content_hash"].combine_chunks()
        contents = hashes.drop_null().unique()
        content_of = pc.fill_null(pc.index_in(hashes, value_set=contents), -1).to_numpy()
        stored = tuple(
            _read_stored(read_keys(storage, space), contents, variants, config.extract.shard_rows)
            for space in spaces
        )
        wanted = _mark_wanted(config, artworks, len(variants))
        held = np.stack([space.held for space in stored], axis=2)
        # The number −1 stands for a picture that is not known yet. It reads the row added at the end.
        held = np.concatenate([held, np.zeros((1, *held.shape[1:]), dtype=bool)])
        return cls(
            artworks=artworks,
            variants=variants,
            wanted=wanted,
            missing=wanted[:, :, None] & ~held[content_of],
            stored=stored,
            rejected=_read_rejected(storage, artworks),
            placeholder_artworks=config.catalog.placeholder_artworks,
        )

    @property
    def stored_counts(self) -> npt.NDArray[np.int64]:
        """The number of wanted vectors that are stored, of each space [spaces]."""
        return np.asarray(self.wanted.sum() - self.missing.sum(axis=(0, 1)), dtype=np.int64)

    @property
    def stored_count(self) -> int:
        """The number of wanted vectors that are stored, of all spaces together."""
        return int(self.stored_counts.sum())

    def todo(self, *, retry_rejects: bool) -> Needs:
        """The artworks with missing vectors, and which ones they lack.

        A picture that could not be fetched is tried in each run. A picture that could not be decoded is
        tried again only once it has changed.
        """
        unfinished = self.missing.any(axis=(1, 2))
        if not retry_rejects:
            refused = [key for key, row in self.rejected.items() if row["stage"] == "decode"]
            ids = self.artworks["artwork_id"].combine_chunks()
            unfinished &= ~_is_in(ids, refused)
        rows = self.artworks.filter(pa.array(unfinished)).select(
            ["artwork_id", "image_uri", "etag"]
        )
        return Needs(rows, self.missing[unfinished]).sorted()

    def orphans(self) -> Orphans:
        """The stored vectors of pictures that no artwork of this catalog is known to have."""
        names = pa.array([profile or "" for profile in self.variants], pa.string())
        listed = [space.strangers["content_hash"] for space in self.stored]
        contents = pa.chunked_array(
            [part for column in listed for part in column.chunks], pa.string()
        )
        hashes = contents.unique()
        held = np.zeros((len(hashes), len(self.variants), len(self.stored)), bool)
        for number, space in enumerate(self.stored):
            variant = pc.index_in(_profiles(space.strangers), value_set=names)
            ours = variant.is_valid()
            content = pc.index_in(
                space.strangers["content_hash"].combine_chunks(), value_set=hashes
            )
            held[content.filter(ours).to_numpy(), variant.filter(ours).to_numpy(), number] = True
        used = held.any(axis=(1, 2))
        rows = {key: row for row, key in enumerate(hashes.filter(pa.array(used)).to_pylist())}
        return Orphans(rows, held[used])

    @cached_property
    def complete(self) -> Flags:
        """Whether each artwork [artworks] has all its wanted vectors."""
        known = self.artworks["content_hash"].is_valid().to_numpy()
        return np.asarray(known & ~self.missing.any(axis=(1, 2)))

    @cached_property
    def placeholders(self) -> npt.NDArray[np.int64]:
        """The number of artworks with the same picture, for each artwork [artworks] whose picture is a
        placeholder. 0 for the others."""
        known = self.artworks["content_hash"].combine_chunks()
        return count_sharing(known, self.placeholder_artworks) * self.complete

    def images(self) -> pa.Table:
        """schemas.IMAGES of the complete artworks whose picture is no placeholder, sorted by image_id."""
        tables = [schemas.IMAGES.empty_table()]
        listed = self.complete & (self.placeholders == 0)
        for variant, profile in enumerate(self.variants):
            rows = self.artworks.filter(pa.array(listed & self.wanted[:, variant]))
            ids = rows["artwork_id"]
            copies = pa.repeat(pa.scalar(profile, pa.string()), rows.num_rows)
            tables.append(
                pa.table(
                    [image_ids(ids, profile), ids, copies, rows["content_hash"]],
                    schema=schemas.IMAGES,
                )
            )
        return pa.concat_tables(tables).sort_by("image_id").combine_chunks()

    def rejects(self) -> pa.Table:
        """The reason for each artwork that is not in `images`. Raises IncompleteError for one without a
        reason."""
        ids = self.artworks.filter(pa.array(~self.complete))["artwork_id"].to_pylist()
        lost = [artwork_id for artwork_id in ids if artwork_id not in self.rejected]
        if lost:
            raise IncompleteError(
                f"{len(lost)} of {self.artworks.num_rows} artworks have neither vectors nor a reject "
                f"(first: {lost[0]}); run the same command again"
            )
        rows = [self.rejected[artwork_id] for artwork_id in ids]
        among = self.placeholders > 0
        rows += [
            placeholder_row(row, int(count))
            for row, count in zip(
                self.artworks.filter(pa.array(among)).to_pylist(),
                self.placeholders[among],
                strict=True,
            )
        ]
        rows.sort(key=lambda row: str(row["artwork_id"]))
        return pa.Table.from_pylist(rows, schema=schemas.REJECTS)


def _add_content_hashes(storage: Storage, catalog: pa.Table) -> pa.Table:
    """The catalog's artworks with the hash of their image's bytes when last read. Null if the file has
    changed since, or was never read."""
    artworks = catalog.select(["artwork_id", "image_uri", "etag"]).combine_chunks()
    sources = read_parts(storage, "sources", schemas.SOURCES)
    # The newest first, as index_in finds the first of equal values.
    sources = sources.take(pa.array(np.arange(sources.num_rows)[::-1])).combine_chunks()
    places = pc.index_in(_versions(artworks), value_set=_versions(sources), skip_nulls=True)
    return artworks.append_column("content_hash", sources["content_hash"].take(places))


def _versions(rows: pa.Table) -> pa.Array:
    """A text for each row that names its image file in its present version. Null without an etag."""
    if not rows.num_rows:
        return pa.array([], pa.string())
    uri, etag = (rows[name].combine_chunks() for name in ("image_uri", "etag"))
    etag = pc.if_else(pc.equal(etag, ""), pa.scalar(None, pa.string()), etag)
    return pc.binary_join_element_wise(uri, etag, "\n")


def _mark_wanted(config: Config, artworks: pa.Table, variants: int) -> Flags:
    ids = artworks["artwork_id"].combine_chunks()
    copied = choose_originals(config, ids.to_pylist())
    wanted = np.ones((len(ids), variants), dtype=bool)
    wanted[:, 1:] = _is_in(ids, copied)[:, None]
    return wanted


def _read_rejected(storage: Storage, artworks: pa.Table) -> dict[str, dict[str, Any]]:
    """The newest reject of each artwork whose image has not changed since the rejection."""
    rejects = read_parts(storage, "rejects", schemas.REJECTS).to_pylist()
    named = _is_in(artworks["artwork_id"].combine_chunks(), {row["artwork_id"] for row in rejects})
    current = {
        row["artwork_id"]: (row["image_uri"], row["etag"])
        for row in artworks.filter(pa.array(named)).to_pylist()
    }
    return {
        row["artwork_id"]: row
        for row in rejects
        if row["stage"] == "embed"
        or current.get(row["artwork_id"]) == (row["image_uri"], row["etag"])
    }


def _read_stored(
    keys: StoredKeys, contents: pa.Array, variants: Sequence[str | None], shard_rows: int
) -> StoredVectors:
    names = pa.array([profile or "" for profile in variants], pa.string())
    held = np.zeros((len(contents), len(variants)), dtype=bool)
    content = pc.index_in(keys.table["content_hash"].combine_chunks(), value_set=contents)
    variant = pc.index_in(_profiles(keys.table), value_set=names)
    ours = pc.and_(content.is_valid(), variant.is_valid())
    held[content.filter(ours).to_numpy(), variant.filter(ours).to_numpy()] = True
    return StoredVectors(
        held=held,
        strangers=keys.table.filter(content.is_null()),
        distinct=keys.distinct,
        untidy=untidy_shards(keys, shard_rows),
    )


def _profiles(rows: pa.Table) -> pa.Array:
    return pc.fill_null(rows["profile"].combine_chunks(), "")


def _is_in(ids: pa.Array, chosen: Sequence[str] | frozenset[str] | set[str]) -> Flags:
    chosen_rows = pc.is_in(ids, value_set=pa.array(list(chosen), pa.string()))
    return np.asarray(chosen_rows.to_numpy(zero_copy_only=False), dtype=bool)

"""Which vectors a catalog lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from simsearch import schemas
from simsearch.catalog.sampling import seeded_sample
from simsearch.config import Config
from simsearch.errors import IncompleteError
from simsearch.extraction.networks import PreparedNetwork
from simsearch.features import store as feature_store
from simsearch.schemas import image_id
from simsearch.storage.parts import read_parts
from simsearch.storage.storage import Storage


def choose_originals(config: Config, artwork_ids: Sequence[str]) -> frozenset[str]:
    """The artworks of which perturbed copies are made: a seeded sample, or all."""
    if not config.perturbations.profiles:
        return frozenset()
    return frozenset(seeded_sample(artwork_ids, config.perturbations.originals, config.seed))


@dataclass(frozen=True)
class _State:
    """What is stored of what a catalog needs."""

    profiles: tuple[str | None, ...]  # None: the original
    catalog: list[dict[str, Any]]
    copied: frozenset[str]
    hashes: Mapping[tuple[str, str], str]  # (image_uri, etag) → content hash
    shards: tuple[Mapping[str, Sequence[str]], ...]  # stored vectors per backbone and shard
    rejected: Mapping[str, dict[str, Any]]  # artwork → its reject, if its image is still the same

    @classmethod
    def read(
        cls,
        config: Config,
        storage: Storage,
        catalog: pa.Table,
        networks: Sequence[PreparedNetwork],
    ) -> _State:
        rows = catalog.select(["artwork_id", "image_uri", "etag"]).to_pylist()
        sources = read_parts(storage, "sources", schemas.SOURCES).to_pylist()
        current = {row["artwork_id"]: (row["image_uri"], row["etag"]) for row in rows}
        rejected = {
            row["artwork_id"]: row
            for row in read_parts(storage, "rejects", schemas.REJECTS).to_pylist()
            if row["stage"] == "embed"
            or current.get(row["artwork_id"]) == (row["image_uri"], row["etag"])
        }
        return cls(
            profiles=(None, *config.perturbations.profiles),
            catalog=rows,
            copied=choose_originals(config, list(current)),
            hashes={
                (row["image_uri"], row["etag"]): row["content_hash"]
                for row in sources
                if row["etag"]
            },
            shards=tuple(feature_store.shard_keys(storage, each.space) for each in networks),
            rejected=rejected,
        )

    @cached_property
    def keys(self) -> tuple[frozenset[str], ...]:
        return tuple(frozenset(chain(*shards.values())) for shards in self.shards)

    def content_hash(self, row: Mapping[str, Any]) -> str | None:
        return self.hashes.get((row["image_uri"], row["etag"]))

    def _wanted(self, row: Mapping[str, Any]) -> Sequence[str | None]:
        return self.profiles if row["artwork_id"] in self.copied else self.profiles[:1]

    def need(self, row: Mapping[str, Any]) -> bytes:
        """A mask [variants, backbones] of the vectors this artwork lacks, row-major."""
        mask = np.zeros((len(self.profiles), len(self.shards)), dtype=np.uint8)
        known = self.content_hash(row)
        for variant, profile in enumerate(self._wanted(row)):
            for backbone, keys in enumerate(self.keys):
                held = known is not None and feature_store.key(known, profile) in keys
                mask[variant, backbone] = not held
        return mask.tobytes()

    def todo(self, *, retry_rejects: bool) -> pa.Table:
        """The artworks with work left; equal needs together, so that batches stay full.

        What could not be fetched is tried each run, what could not be decoded only when it changed.
        """
        rows = []
        for row in self.catalog:
            reject = self.rejected.get(row["artwork_id"])
            if reject is not None and reject["stage"] == "decode" and not retry_rejects:
                continue
            if any(need := self.need(row)):
                rows.append({**row, "need": need})
        rows.sort(key=lambda row: (row["need"], row["artwork_id"]), reverse=True)
        columns = {
            "artwork_id": pa.string(),
            "image_uri": pa.string(),
            "etag": pa.string(),
            "need": pa.binary(),
        }
        return pa.table(
            {name: pa.array([row[name] for row in rows], kind) for name, kind in columns.items()}
        )

    def _complete(self, row: Mapping[str, Any]) -> bool:
        return self.content_hash(row) is not None and not any(self.need(row))

    def stored_count(self) -> int:
        """How many of the wanted vectors are stored."""
        wanted = sum(len(self._wanted(row)) for row in self.catalog) * len(self.keys)
        return wanted - sum(sum(self.need(row)) for row in self.catalog)

    def orphans(self) -> dict[str, bytes]:
        """Stored vectors of content that no source of this catalog is known to have."""
        current = {self.content_hash(row) for row in self.catalog}
        masks: dict[str, npt.NDArray[np.uint8]] = {}
        numbers = {profile or "": number for number, profile in enumerate(self.profiles)}
        for backbone, keys in enumerate(self.keys):
            for key in keys:
                content_hash, _, profile = key.partition("/")
                if content_hash in current or profile not in numbers:
                    continue
                mask = masks.setdefault(
                    content_hash, np.zeros((len(self.profiles), len(self.keys)), np.uint8)
                )
                mask[numbers[profile], backbone] = 1
        return {content_hash: mask.tobytes() for content_hash, mask in masks.items()}

    def images(self) -> pa.Table:
        rows = [
            {
                "image_id": image_id(row["artwork_id"], profile),
                "artwork_id": row["artwork_id"],
                "profile": profile,
                "content_hash": self.content_hash(row),
            }
            for row in self.catalog
            if self._complete(row)
            for profile in self._wanted(row)
        ]
        rows.sort(key=lambda row: str(row["image_id"]))
        return pa.Table.from_pylist(rows, schema=schemas.IMAGES)

    def rejects(self) -> pa.Table:
        """Why each incomplete artwork is not there. Raises IncompleteError for one without a reason."""
        incomplete = [row["artwork_id"] for row in self.catalog if not self._complete(row)]
        lost = [one for one in incomplete if one not in self.rejected]
        if lost:
            raise IncompleteError(
                f"{len(lost)} of {len(self.catalog)} artworks have neither vectors nor a reject "
                f"(first: {lost[0]}); run the same command again"
            )
        rows = [self.rejected[one] for one in sorted(incomplete)]
        return pa.Table.from_pylist(rows, schema=schemas.REJECTS)

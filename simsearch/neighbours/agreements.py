"""What geometry said of pairs of pictures: a row for each pair that was ever compared, also where the two
do not agree, so that no pair is compared twice.

    agreements/<fingerprint>/part-<digest>.parquet
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from simsearch.features.points import AGREEMENTS, StoredPoints, agreements_parts
from simsearch.geometry.agreement import Agreement, agree
from simsearch.geometry.confusers import Confuser, without_confusers
from simsearch.geometry.points import Points
from simsearch.neighbours.lists import Items
from simsearch.storage.keyed_parts import KeyedParts

DEFINITION = 3  # raised where `agree` says something else of the same points
PAIRS_A_SHARD = 50_000  # some 10 MB

Hashes = npt.NDArray[np.object_]


@dataclass(frozen=True)
class PicturePairs:
    """Pairs of the pictures whose content hashes are `hashes` [n], ascending. `codes` int64 [p] are the
    lower number × n + the higher, as `candidates.pair_codes` gives them."""

    hashes: Hashes
    codes: Items

    def of(self, codes: Items) -> PicturePairs:
        return PicturePairs(self.hashes, codes)

    @property
    def numbers(self) -> Items:
        """The two pictures of each pair, int64 [p, 2]."""
        return np.stack(np.divmod(self.codes, max(1, len(self.hashes))), axis=1)

    def key(self) -> tuple[list[str], list[str]]:
        """The hashes of each pair, the one that sorts before the other first."""
        first, second = (self.hashes[column].tolist() for column in self.numbers.T)
        return first, second


@dataclass(frozen=True)
class StoredAgreements:
    """The agreements of pictures whose points are `points`, without those in regions of `confusers`."""

    points: StoredPoints
    confusers: tuple[Confuser, ...] = ()

    @property
    def parts(self) -> KeyedParts:
        name = f"{self.points.fingerprint}-{DEFINITION}"
        if self.confusers:
            digest = hashlib.sha256(b"".join(c.places.tobytes() for c in self.confusers))
            name += f"-without-{digest.hexdigest()[:16]}"
        return agreements_parts(self.points.storage, name)

    def read_points(self, shards: Sequence[str], hashes: Iterable[str]) -> dict[str, Points]:
        """The points of pictures that `shards` hold, by content hash."""
        points = self.points.read(shards, pa.array(sorted({*hashes}), pa.string()))
        return {name: without_confusers(own, self.confusers) for name, own in points.items()}

    def missing(self, pairs: PicturePairs) -> Items:
        """The codes of the pairs that were not compared yet."""
        return np.setdiff1d(pairs.codes, _codes(self.parts.stored().table, pairs.hashes))

    def read(self, pairs: PicturePairs) -> pa.Table:
        """AGREEMENTS of the pairs that agree, with the pair's `code`, by which they are sorted."""
        stored = self.parts.stored()
        tables = [AGREEMENTS.empty_table()]
        for name in stored.names:
            rows = self.parts.read(name)
            chosen = np.isin(_codes(rows, pairs.hashes), pairs.codes)
            rows = rows.filter(pa.array(chosen))
            tables.append(rows.filter(pc.field("inliers").is_valid()))
        table = pa.concat_tables(tables).combine_chunks()
        codes = _codes(table, pairs.hashes)
        unique, rows_of = np.unique(codes, return_index=True)
        return table.take(pa.array(rows_of)).append_column("code", pa.array(unique))

    def compact(self) -> int:
        """Merge small shards; returns how many."""
        return self.parts.compact(PAIRS_A_SHARD)


def agreements_table(
    first: Sequence[str], second: Sequence[str], points: Mapping[str, Points]
) -> pa.Table:
    """AGREEMENTS of pairs of pictures, by their content hashes."""
    rows = [
        {"first_hash": a, "second_hash": b, **_row(agree(points[a], points[b]))}
        for a, b in zip(first, second, strict=True)
    ]
    return pa.Table.from_pylist(rows, schema=AGREEMENTS)


def agreement_of(row: Mapping[str, object]) -> Agreement:
    """The agreement of a row of AGREEMENTS."""
    return Agreement(
        inliers=int(str(row["inliers"])),
        evidence=float(str(row["evidence"])),
        transform=np.array(row["transform"], np.float64).reshape(3, 3),
        mirrored=bool(row["mirrored"]),
        size_a=_size(row["size"]),
        size_b=_size(row["other_size"]),
        places_a=_places(row["places"]),
        places_b=_places(row["other_places"]),
        outline_a=_places(row["outline"]),
        outline_b=_places(row["other_outline"]),
        share_a=float(str(row["share"])),
        share_b=float(str(row["other_share"])),
        overlap_a=float(str(row["overlap"])),
        overlap_b=float(str(row["other_overlap"])),
        coverage=float(str(row["coverage"])),
        likeness=float(str(row["likeness"])),
        residual=float(str(row["residual"])),
        framed=bool(row["framed"]),
        negative=bool(row["negative"]),
    )


def _places(cell: object) -> npt.NDArray[np.float32]:
    return np.array(cell, np.float32).reshape(-1, 2)


def _size(cell: object) -> tuple[int, int]:
    width, height = np.array(cell, np.int64).tolist()
    return width, height


def _row(agreement: Agreement | None) -> dict[str, object]:
    if agreement is None:
        return {}
    return {
        "inliers": agreement.inliers,
        "evidence": agreement.evidence,
        "transform": agreement.transform.ravel().tolist(),
        "mirrored": agreement.mirrored,
        "outline": agreement.outline_a.ravel().tolist(),
        "other_outline": agreement.outline_b.ravel().tolist(),
        "share": agreement.share_a,
        "other_share": agreement.share_b,
        "size": list(agreement.size_a),
        "other_size": list(agreement.size_b),
        "places": agreement.places_a.ravel().tolist(),
        "other_places": agreement.places_b.ravel().tolist(),
        "overlap": agreement.overlap_a,
        "other_overlap": agreement.overlap_b,
        "coverage": agreement.coverage,
        "likeness": agreement.likeness,
        "residual": agreement.residual,
        "framed": agreement.framed,
        "negative": agreement.negative,
    }


def _codes(rows: pa.Table, hashes: Hashes) -> Items:
    """The codes of stored pairs among the pictures `hashes`; −1 for a pair that is not of these."""
    known = pa.array(hashes, pa.string())
    places = [
        pc.fill_null(pc.index_in(rows[name].combine_chunks(), value_set=known), -1).to_numpy()
        for name in ("first_hash", "second_hash")
    ]
    lower, higher = (column.astype(np.int64) for column in places)
    return np.where((lower < 0) | (higher < 0), -1, lower * len(hashes) + higher)

"""The parallel comparison of pictures, point by point: tasks that each store what they find."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import ray

from simsearch import schemas
from simsearch.geometry.confusers import Confuser, Pair, find_confusers
from simsearch.geometry.false_alarms import estimate_chance
from simsearch.geometry.points import MIN_POINTS
from simsearch.geometry.relations import relation_of
from simsearch.neighbours.agreements import (
    Hashes,
    PicturePairs,
    StoredAgreements,
    agreement_of,
    agreements_table,
)
from simsearch.neighbours.chance import EXPECTED, CollectionChance
from simsearch.neighbours.joined import joined_pairs
from simsearch.neighbours.lists import Items
from simsearch.runtime.resources import ENDLESS, TASKS
from simsearch.runtime.watchdog import Count, run_followed
from simsearch.settings.sections.operation import RayConfig

log = logging.getLogger(__name__)

PAIRS_A_TASK = 256  # a second of work; at most so many are compared again after a crash

# Pairs at random that are compared beside the candidates, so that few candidates of which most show one
# picture do not decide what chance gives.
CHANCE_PAIRS = 2000
MOST_PARTNERS = 30  # of a picture among them

# Of so many pictures that hang together as copies of one each pair is compared: 1,770 pairs, 5 s.
MOST_JOINED = 60


@dataclass(frozen=True)
class Verified:
    """The pairs of pictures that agree by more than chance: `rows` is AGREEMENTS with `code` and
    `false_alarms`. `counts` int64 [n]: the local features of each picture, −1 where they could not be
    made. `confusers`: the regions without which pairs were compared, by pictures' numbers."""

    rows: pa.Table
    chance: CollectionChance
    counts: Items
    confusers: tuple[Confuser, ...]


def verify_pairs(
    stored: StoredAgreements, hashes: Hashes, candidates: Items, seed: int, ray_config: RayConfig
) -> Verified:
    """The candidates that geometry verifies, of the pictures with content `hashes` [n]. `candidates` are
    codes as PicturePairs has them. Pairs that were compared before are not compared again."""
    shards = _Shards.of(stored, hashes)
    known = shards.with_points(PicturePairs(hashes, candidates))
    chance_pairs = shards.with_points(PicturePairs(hashes, _chance_codes(hashes, seed)))
    everything = known.of(np.union1d(known.codes, chance_pairs.codes))
    _compare_all(stored, shards, everything, ray_config)
    stored.compact()
    chance = _chance(stored.read(everything), len(everything.codes))
    known = _with_joined(stored, shards, known, chance, ray_config)
    chance = replace(chance, compared=len(np.union1d(known.codes, everything.codes)))
    rows = _beyond_chance(stored.read(known), chance)
    confusers = find_confusers([_pair(row, len(hashes)) for row in rows.to_pylist()])
    confused = _confused(confusers, known.of(rows["code"].to_numpy()))
    if len(confused.codes):
        log.info(
            "neighbours: %s regions return at the same place in many pictures, as a watermark or a mount does; %s pairs "
            "are compared without them",
            len(confusers),
            f"{len(confused.codes):,}",
        )
        masked = StoredAgreements(stored.points, tuple(confusers))
        _compare_all(masked, shards, confused, ray_config)
        again = _beyond_chance(masked.read(confused), chance)
        kept = rows.filter(pa.array(~np.isin(rows["code"].to_numpy(), confused.codes)))
        rows = pa.concat_tables([kept, again]).sort_by("code")
    log.info(
        "neighbours: %s pairs of pictures compared, %s agree by more than chance",
        f"{len(known.codes):,}",
        f"{rows.num_rows:,}",
    )
    unseen = int((shards.counts < MIN_POINTS).sum())
    if unseen:
        log.warning(
            "neighbours: geometry sees too little in %s pictures, such as those without texture; only equal bytes make "
            "them near-duplicates",
            f"{unseen:,}",
        )
    return Verified(rows, chance, shards.counts, tuple(confusers))


@dataclass(frozen=True)
class _Shards:
    """Which shard, by its place in `names`, holds the points of each picture [n], and how many these are;
    −1: none."""

    names: tuple[str, ...]
    numbers: Items
    counts: Items

    @classmethod
    def of(cls, stored: StoredAgreements, hashes: Hashes) -> _Shards:
        points = stored.points.stored()
        held = points.table["content_hash"].combine_chunks()
        rows = pc.index_in(pa.array(hashes, pa.string()), value_set=held)
        numbers, counts = (
            pc.fill_null(points.table[name].combine_chunks().take(rows), -1).to_numpy()
            for name in ("part", "count")
        )
        return cls(points.names, numbers, counts)

    def with_points(self, pairs: PicturePairs) -> PicturePairs:
        """The pairs of pictures that both have enough points."""
        both = (self.counts[pairs.numbers] >= MIN_POINTS).all(axis=1)
        return pairs.of(pairs.codes[both])

    def parts(self, pairs: PicturePairs) -> list[tuple[list[str], list[str], list[str]]]:
        """The pairs by tasks, those of the same two shards together: the shards that hold the points, and
        the content hashes of the first and of the second pictures."""
        numbers = self.numbers[pairs.numbers]
        codes = pairs.codes[np.lexsort((pairs.codes, numbers[:, 1], numbers[:, 0]))]
        parts = []
        for start in range(0, len(codes), PAIRS_A_TASK):
            part = pairs.of(codes[start : start + PAIRS_A_TASK])
            shards = np.unique(self.numbers[part.numbers]).tolist()
            parts.append(([self.names[number] for number in shards], *part.key()))
        return parts


def _compare_all(
    stored: StoredAgreements, shards: _Shards, pairs: PicturePairs, config: RayConfig
) -> None:
    parts = shards.parts(pairs.of(stored.missing(pairs)))
    pending = [_compare.remote(stored, *part) for part in parts]
    if not pending:
        return
    total = sum(len(first) for _, first, _ in parts)
    count = Count()

    def collect() -> None:
        left = pending
        while left:
            (done,), left = ray.wait(left, num_returns=1)
            count.tell(count.read() + ray.get(done))

    run_followed("verify", total, "pairs", config, collect, count.read)


@ray.remote(num_cpus=TASKS["score"].cpus, max_retries=ENDLESS)
def _compare(
    stored: StoredAgreements, shards: Sequence[str], first: Sequence[str], second: Sequence[str]
) -> int:
    return compare(stored, shards, first, second)


def compare(
    stored: StoredAgreements, shards: Sequence[str], first: Sequence[str], second: Sequence[str]
) -> int:
    """Store what the pairs of pictures show in common; returns how many pairs these are."""
    points = stored.read_points(shards, [*first, *second])
    stored.parts.write(agreements_table(first, second, points))
    return len(first)


def _with_joined(
    stored: StoredAgreements,
    shards: _Shards,
    pairs: PicturePairs,
    chance: CollectionChance,
    config: RayConfig,
) -> PicturePairs:
    """The pairs, and those of pictures that others join as copies of one picture. All of these have been
    compared then, so that none of many copies counts as another work."""
    count = len(pairs.hashes)
    while True:
        rows = _beyond_chance(stored.read(pairs), chance).to_pylist()
        same = [row["code"] for row in rows if _shows_the_same(row)]
        joined = joined_pairs(np.array(same, np.int64), count, MOST_JOINED)
        more = shards.with_points(pairs.of(np.setdiff1d(joined, pairs.codes)))
        if not len(more.codes):
            return pairs
        _compare_all(stored, shards, more, config)
        pairs = pairs.of(np.union1d(pairs.codes, more.codes))


def _shows_the_same(row: Mapping[str, Any]) -> bool:
    return relation_of(agreement_of(row)).value not in schemas.OTHER_PICTURES


def _chance_codes(hashes: Hashes, seed: int) -> Items:
    """Pairs of pictures that have nothing to do with one another: each with those that follow in an order
    that depends on content and `seed` alone, so that another picture changes few pairs."""
    digests = [hashlib.sha256(f"{seed} {content}".encode()).digest() for content in hashes]
    order = np.array(sorted(range(len(hashes)), key=digests.__getitem__), np.int64)
    n = len(order)
    codes = [np.zeros(0, np.int64)]
    for step in range(1, min(n - 1, MOST_PARTNERS) + 1):
        wanted = CHANCE_PAIRS - sum(map(len, codes))
        if wanted <= 0:
            break
        first, second = order[:wanted], np.roll(order, -step)[:wanted]
        codes.append(np.minimum(first, second) * n + np.maximum(first, second))
    return np.unique(np.concatenate(codes))


def _beyond_chance(rows: pa.Table, chance: CollectionChance) -> pa.Table:
    """The rows that chance does not explain, with the number of false alarms of each."""
    alarms = chance.false_alarms(rows["evidence"].to_numpy().astype(np.float64))
    rows = rows.append_column("false_alarms", pa.array(alarms, pa.float64()))
    return rows.filter(pc.field("false_alarms") <= EXPECTED)


def _pair(row: Mapping[str, Any], pictures: int) -> Pair:
    first, second = divmod(row["code"], pictures)
    return Pair(first, second, agreement_of(row))


def _confused(confusers: Sequence[Confuser], pairs: PicturePairs) -> PicturePairs:
    """The pairs of which both pictures show the same confuser."""
    chosen = np.zeros(len(pairs.codes), dtype=bool)
    for confuser in confusers:
        chosen |= np.isin(pairs.numbers, confuser.works).all(axis=1)
    return pairs.of(pairs.codes[chosen])


def _chance(rows: pa.Table, pairs: int) -> CollectionChance:
    evidence = np.zeros(pairs)
    evidence[: rows.num_rows] = rows["evidence"].to_numpy()
    return CollectionChance(estimate_chance(evidence), pairs)

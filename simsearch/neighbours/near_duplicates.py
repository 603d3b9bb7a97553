"""Which artworks of a collection show the same picture: the same bytes, or as geometry verifies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from simsearch import schemas
from simsearch.features.collapse import spread_rows
from simsearch.features.points import StoredPoints
from simsearch.geometry.points import MIN_POINTS
from simsearch.geometry.regions import box_around
from simsearch.geometry.relations import relation_of
from simsearch.neighbours.agreements import StoredAgreements, agreement_of
from simsearch.neighbours.chance import write_chance
from simsearch.neighbours.confusers import write_confusers
from simsearch.neighbours.lists import Items
from simsearch.neighbours.numbering import NumberedImages
from simsearch.neighbours.spreads import candidates_of, judge_spaces
from simsearch.neighbours.stored_lists import StoredLists
from simsearch.neighbours.verification import Verified, verify_pairs
from simsearch.settings.sections.operation import RayConfig
from simsearch.snapshots.snapshot import Snapshot

# Of so many artworks that show one picture each pair is listed, 1,770 pairs; of more, each with the first.
MOST_PAIRED = 60


def find_near_duplicates(snapshot: Snapshot, config: RayConfig) -> int:
    """Store the near-duplicates among a snapshot's originals, and how far each space tells pictures apart.
    Returns how many pairs are listed."""
    plan, images = snapshot.plan(), snapshot.images()
    numbered = NumberedImages.of(images, plan.profiles)
    judgements = judge_spaces(plan, numbered, StoredLists.of_all(snapshot, plan, numbered))
    spreads = {space: judgement.spread for space, judgement in judgements.items()}
    originals = images.take(pa.array(numbered.originals))
    verified = None
    points = StoredPoints.of(plan.settings, snapshot.storage)
    if points is not None:
        hashes = np.unique(images["content_hash"].to_numpy())  # in the order of `numbered.pictures`
        candidates = candidates_of(plan, judgements)
        stored = StoredAgreements(points)
        verified = verify_pairs(stored, hashes, candidates, plan.seed, config)
    ids = originals["artwork_id"].to_numpy()
    table = near_duplicates_table(numbered, ids, verified)
    chance = None if verified is None else verified.chance
    write_chance(snapshot, chance, _unseen(numbered, ids, verified))
    confusers = () if verified is None else verified.confusers
    write_confusers(snapshot, confusers, numbered.by_picture(), ids)
    snapshot.storage.write_table(snapshot.spreads_path, spread_rows(spreads))
    # Last: it says that the neighbours are whole.
    snapshot.storage.write_table(snapshot.near_duplicates_path, table)
    return int(table.num_rows)


def _unseen(
    numbered: NumberedImages, ids: npt.NDArray[np.object_], verified: Verified | None
) -> dict[str, int]:
    """The artworks in whose pictures geometry sees nothing, and how many local features these have."""
    if verified is None:
        return {}
    counts = verified.counts[numbered.pictures[numbered.originals]]
    return {str(ids[row]): int(counts[row]) for row in np.flatnonzero(counts < MIN_POINTS)}


def near_duplicates_table(
    numbered: NumberedImages, ids: npt.NDArray[np.object_], verified: Verified | None
) -> pa.Table:
    """schemas.NEAR_DUPLICATES: each pair of artworks that show the same file, and each that show two
    pictures that agree. `ids` [n] are the originals' artworks."""
    groups = numbered.by_picture()
    rows = [
        {"artwork_id": ids[first], "other_id": ids[second], "relation": schemas.SAME_FILE}
        for block in _pairs_within(groups)
        for first, second in block.tolist()
    ]
    for agreeing in verified.rows.to_pylist() if verified is not None else ():
        first, second = divmod(agreeing["code"], len(groups))
        agreement = agreement_of(agreeing)
        evidence = {
            "relation": relation_of(agreement).value,
            "box": box_around(agreement.outline_a, agreement.size_a),
            "other_box": box_around(agreement.outline_b, agreement.size_b),
            **{name: agreeing[name] for name in _EVIDENCE},
        }
        rows += [
            {"artwork_id": ids[a], "other_id": ids[b], **evidence}
            for a, b in _across(groups[first], groups[second]).tolist()
        ]
    return pa.Table.from_pylist(rows, schema=schemas.NEAR_DUPLICATES)


_EVIDENCE = ("inliers", "false_alarms", "mirrored", "share", "other_share", "transform")


def _pairs_within(groups: Mapping[int, Items]) -> Iterator[Items]:
    for group in groups.values():
        if 1 < len(group) <= MOST_PAIRED:
            first, second = np.triu_indices(len(group), 1)
            yield np.stack([group[first], group[second]], axis=1)
        elif len(group) > 1:
            yield _across(group[:1], group[1:])


def _across(first: Items, second: Items) -> Items:
    """Each of some artworks with each of others; the first with the first where they are too many."""
    if len(first) > 1 and len(first) * len(second) > MOST_PAIRED**2:
        first, second = first[:1], second[:1]
    return np.stack([np.repeat(first, len(second)), np.tile(second, len(first))], axis=1)

"""Which artworks show the same picture as a given one: the same bytes, or as geometry verifies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image

from simsearch import schemas
from simsearch.errors import NotFoundError
from simsearch.features.points import StoredPoints
from simsearch.neighbours.chance import EXPECTED, CollectionChance, read_chance
from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.view import SnapshotView

if TYPE_CHECKING:
    from simsearch.geometry.points import Points

READINGS = 2  # of the stored points, as a run may merge their files in the meantime


@dataclass(frozen=True)
class Sighting:
    """An artwork that shows the given picture. `relation` says what the given picture is to the artwork's:
    SAME_FILE, or a `geometry.relations.Relation`. `inliers` and `false_alarms` as in
    schemas.NEAR_DUPLICATES."""

    artwork: ViewArtwork
    relation: str
    mirrored: bool = False
    inliers: int | None = None
    false_alarms: float | None = None

    @property
    def words(self) -> str:
        """What the given picture is to the artwork's, for readers."""
        words = _WORDS.get(self.relation, self.relation)
        return f"{words}, mirrored" if self.mirrored and self.relation != "mirrored" else words

    @property
    def evidence(self) -> str:
        """What speaks for it, for readers."""
        return "equal bytes" if self.inliers is None else f"{self.inliers} points in common"


_WORDS = {
    schemas.SAME_FILE: "the same file",
    "same picture": "the same picture",
    "edited": "the same picture, cropped, turned or squeezed",
    "mirrored": "the same picture, mirrored",
    "version": "a version: the composition agrees, the hand does not",
    "detail of": "your picture is a part of this one",
    "has detail": "this one is a part of your picture",
}


def find_same_file(view: SnapshotView, content_hash: str, among: pa.Array | None) -> list[Sighting]:
    """The artworks whose file has the content hash, of the ids in `among`."""
    items = np.flatnonzero(pc.equal(view.hashes, content_hash).to_numpy(zero_copy_only=False))
    originals = [int(item) for item in items if view.profile_of(int(item)) is None]
    artworks = [view.artwork_of(item) for item in originals]
    allowed = None if among is None else set(among.to_pylist())
    return [
        Sighting(artwork, schemas.SAME_FILE)
        for artwork in artworks
        if allowed is None or artwork.artwork_id in allowed
    ]


def verify_same_picture(
    view: SnapshotView, picture: Image.Image, candidates: Iterable[ViewArtwork]
) -> list[Sighting]:
    """The candidates that show the RGB `picture` as geometry verifies, by the evidence that near-duplicates
    of the collection need; the surest first. None where geometry is off."""
    stored = StoredPoints.of(view.plan.settings, view.snapshot.storage)
    chance = None if stored is None else read_chance(view.snapshot)
    if stored is None or chance is None:
        return []
    from simsearch.geometry.points import points_of  # OpenCV takes a while to import

    own = points_of(np.asarray(picture))
    artworks = list(candidates)
    points = read_points(stored, {artwork.content_hash for artwork in artworks})
    same = [
        sighting
        for artwork in artworks
        if artwork.content_hash in points
        for sighting in _verified(own, points[artwork.content_hash], artwork, chance)
    ]
    return sorted(same, key=lambda sighting: (sighting.false_alarms, sighting.artwork.number))


def _verified(
    own: Points, others: Points, artwork: ViewArtwork, chance: CollectionChance
) -> Iterator[Sighting]:
    from simsearch.geometry.agreement import agree
    from simsearch.geometry.relations import relation_of

    agreement = agree(own, others)
    if agreement is None:
        return
    alarms = float(chance.false_alarms(np.array([agreement.evidence]))[0])
    relation = relation_of(agreement).value
    if alarms <= EXPECTED and relation not in schemas.OTHER_PICTURES:
        yield Sighting(artwork, relation, agreement.mirrored, agreement.inliers, alarms)


def read_points(stored: StoredPoints, hashes: set[str]) -> dict[str, Points]:
    """The stored points of pictures, by content hash, as far as there are any."""
    wanted = pa.array(sorted(hashes), pa.string())
    for reading in range(READINGS):
        kept = stored.stored()
        chosen = kept.table.filter(pc.is_in(kept.table["content_hash"], value_set=wanted))
        parts = [kept.names[part] for part in pc.unique(chosen["part"]).to_pylist()]
        try:
            return stored.read(parts, wanted)
        except NotFoundError:
            if reading == READINGS - 1:
                raise
    return {}

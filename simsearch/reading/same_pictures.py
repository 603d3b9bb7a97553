"""Which artworks show the same picture as a given one: the same bytes, or as geometry verifies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from simsearch import schemas
from simsearch.features.points import StoredPoints
from simsearch.neighbours.chance import read_chance
from simsearch.reading.agreed_pictures import judge, relation_words
from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.stored_points import PointReader
from simsearch.reading.view import SnapshotView


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
        return relation_words(
            self.relation, mirrored=self.mirrored, first="your picture", other="this one"
        )

    @property
    def evidence(self) -> str:
        """What speaks for it, for readers."""
        return "equal bytes" if self.inliers is None else f"{self.inliers} points in common"


def find_same_file(view: SnapshotView, content_hash: str, among: pa.Array | None) -> list[Sighting]:
    """The artworks whose file has the content hash, of the ids in `among`."""
    artworks = _artworks_of(view, content_hash, among)
    return [Sighting(artwork, schemas.SAME_FILE) for artwork in artworks]


def verify_same_picture(
    view: SnapshotView,
    picture: npt.NDArray[np.uint8],
    candidates: Iterable[str],
    reader: PointReader,
    among: pa.Array | None,
) -> list[Sighting]:
    """The artworks whose files have the content hashes `candidates` and that show the `picture`, uint8
    [h, w, 3], as geometry verifies by the evidence that near-duplicates of the collection need; the surest
    first. Of these, artworks of the ids in `among`. None where geometry is off."""
    stored = StoredPoints.of(view.plan.settings, view.snapshot.storage)
    chance = None if stored is None else read_chance(view.snapshot)
    if stored is None or chance is None:
        return []
    from simsearch.geometry.agreement import agree  # OpenCV takes a while to import
    from simsearch.geometry.points import points_of

    own = points_of(picture)
    same = []
    for content_hash, points in reader.read(stored, candidates).items():
        agreement = agree(own, points)
        if agreement is None:
            continue
        judged = judge(agreement, chance)
        if judged.verified and judged.relation not in schemas.OTHER_PICTURES:
            evidence = (agreement.mirrored, agreement.inliers, judged.false_alarms)
            same += [
                Sighting(artwork, judged.relation, *evidence)
                for artwork in _artworks_of(view, content_hash, among)
            ]
    return sorted(same, key=lambda sighting: (sighting.false_alarms, sighting.artwork.number))


def _artworks_of(
    view: SnapshotView, content_hash: str, among: pa.Array | None
) -> list[ViewArtwork]:
    """The artworks whose file has the content hash, of the ids in `among`."""
    items = np.flatnonzero(pc.equal(view.hashes, content_hash).to_numpy(zero_copy_only=False))
    originals = [int(item) for item in items if view.profile_of(int(item)) is None]
    artworks = [view.artwork_of(item) for item in originals]
    allowed = None if among is None else set(among.to_pylist())
    return [artwork for artwork in artworks if allowed is None or artwork.artwork_id in allowed]

"""What geometry says of the pictures of two artworks, in words and for a drawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from simsearch.errors import StorageError
from simsearch.features.points import AGREEMENTS_FOLDER, StoredPoints, agreements_parts
from simsearch.neighbours.chance import read_chance
from simsearch.reading.agreed_pictures import judge, relation_words
from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.chance_words import chance_words
from simsearch.reading.findings.listed_pairs import ListedPair
from simsearch.reading.stored_points import PointReader
from simsearch.reading.view import SnapshotView
from simsearch.settings.extras import install_line
from simsearch.settings.shown_places import show_text

if TYPE_CHECKING:
    from simsearch.geometry.agreement import Agreement

Transform = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PicturePair:
    """What the pictures of two artworks have in common. `sentence` says it, or why nothing is known.
    `transform` float64 [3, 3] leads from the first picture to the other, as in schemas.NEAR_DUPLICATES; None
    where the two do not agree. `agreement` has the matched points of this transform, None where they are not
    known."""

    sentence: str
    transform: Transform | None = None
    agreement: Agreement | None = None


class PairGeometry:
    """Compares the stored points of two pictures when asked."""

    def __init__(self, reader: PointReader) -> None:
        self._reader = reader

    def of(
        self, view: SnapshotView, first: ViewArtwork, other: ViewArtwork, listed: ListedPair | None
    ) -> PicturePair:
        """What two artworks' pictures have in common; `listed` is the pair as the snapshot lists it."""
        if first.content_hash == other.content_hash:
            return PicturePair("Both works show the same file.", np.eye(3))
        try:
            agreement = self._agreement(view, first, other)
        except _UnseenError as error:
            if listed is None:
                return PicturePair(str(error))
            return PicturePair(
                f"{_sentence_of(listed)} The points are not drawn. {error}", listed.transform
            )
        if listed is None:
            return _unlisted(view, agreement)
        sentence = _sentence_of(listed)
        if agreement is None or not _same(agreement.transform, listed.transform):
            try:
                agreement = _without_confusers(view, first, other, listed)
            except StorageError as error:
                agreement = None
                sentence += f" The points cannot be read: {show_text(str(error))}."
        return PicturePair(sentence, listed.transform, agreement)

    def _agreement(
        self, view: SnapshotView, first: ViewArtwork, other: ViewArtwork
    ) -> Agreement | None:
        stored = StoredPoints.of(view.plan.settings, view.snapshot.storage)
        if stored is None:
            raise _UnseenError(
                "Geometry was off in this run, so it says nothing of the two pictures."
            )
        try:  # OpenCV, which an explorer need not have
            from simsearch.geometry.agreement import agree
            from simsearch.geometry.points import MIN_POINTS
        except ModuleNotFoundError:
            raise _UnseenError(
                f"Comparing two pictures needs OpenCV: {install_line('run')}"
            ) from None
        pictures = []
        try:
            points = self._reader.read(stored, {first.content_hash, other.content_hash})
        except StorageError as error:
            raise _UnseenError(
                f"The points of the two pictures cannot be read: {show_text(str(error))}."
            ) from None
        for artwork, name in ((first, "first"), (other, "second")):
            own = points.get(artwork.content_hash)
            if own is None:
                raise _UnseenError(
                    f"No points of the {name} picture are stored, so geometry says nothing of the two; "
                    "the next simsearch run stores them."
                )
            if not own.sufficient:
                raise _UnseenError(
                    f"Geometry sees too little in the {name} picture to say anything: it has {len(own)} "
                    f"points to go by, and needs {MIN_POINTS}."
                )
            pictures.append(own)
        return agree(*pictures)


class _UnseenError(Exception):
    """Why geometry says nothing of two pictures, in words."""


def _unlisted(view: SnapshotView, agreement: Agreement | None) -> PicturePair:
    """What a pair that the snapshot does not list has in common: it was not compared, or agrees no more than
    chance gives."""
    nothing = "Geometry sees nothing that the two pictures have in common"
    chance = read_chance(view.snapshot)
    if agreement is None:
        return PicturePair(f"{nothing}.")
    if chance is None:
        return PicturePair(
            f"{agreement.inliers} points agree; this snapshot does not say how many chance gives."
        )
    judged = judge(agreement, chance)
    if not judged.verified:
        return PicturePair(
            f"{nothing}: {agreement.inliers} points agree, and chance gives "
            f"{chance_words(judged.false_alarms)} such pairs in this collection."
        )
    words = _sentence(
        judged.relation, agreement.inliers, judged.false_alarms, mirrored=agreement.mirrored
    )
    return PicturePair(words, agreement.transform, agreement)


def _without_confusers(
    view: SnapshotView, first: ViewArtwork, other: ViewArtwork, listed: ListedPair
) -> Agreement | None:
    """The agreement that the pair is listed with, where it was compared without regions that return in many
    works; None where it is not stored."""
    from simsearch.neighbours.agreements import agreement_of

    storage = view.snapshot.storage
    hashes = sorted((first.content_hash, other.content_hash))
    folders = {info.path.partition("/")[0] for info in storage.files(AGREEMENTS_FOLDER)}
    for folder in sorted(name for name in folders if "-without-" in name):
        parts = agreements_parts(storage, folder)
        for name in parts.stored().names:
            rows = parts.read(name)
            both = pc.and_(
                pc.equal(rows["first_hash"], hashes[0]), pc.equal(rows["second_hash"], hashes[1])
            )
            for row in rows.filter(both).filter(pc.field("inliers").is_valid()).to_pylist():
                agreement = agreement_of(row)
                if first.content_hash != hashes[0]:
                    agreement = agreement.swapped()
                if _same(agreement.transform, listed.transform):
                    return agreement
    return None


def _same(transform: Transform, other: Transform | None) -> bool:
    return other is not None and np.allclose(transform, other, rtol=1e-6, atol=1e-9)


def _sentence_of(listed: ListedPair) -> str:
    if listed.inliers is None or listed.false_alarms is None:
        return f"{_capital(relation_words(listed.relation))}."
    return _sentence(listed.relation, listed.inliers, listed.false_alarms, mirrored=listed.mirrored)


def _sentence(relation: str, inliers: int, false_alarms: float, *, mirrored: bool) -> str:
    words = _capital(relation_words(relation, mirrored=mirrored))
    return (
        f"{words}: {inliers} points agree; chance gives {chance_words(false_alarms)} such pairs in this "
        "collection."
    )


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]

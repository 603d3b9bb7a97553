"""A feature space of a snapshot, as Python asks it."""

from __future__ import annotations

import operator
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from simsearch.errors import NotFoundError, UsageError
from simsearch.features.vectors import Vectors
from simsearch.indexes.exact import drop_query, exact_search
from simsearch.reading.artwork_vectors import artwork_vectors
from simsearch.reading.picture_query import GivenPicture, PictureQuery, read_file
from simsearch.reading.removed import naming_removal
from simsearch.reading.values import Artwork, Match, Matches
from simsearch.reading.view import SnapshotView
from simsearch.settings.extras import check_installed


@dataclass(frozen=True)
class Space:
    """A collection as one network sees it.

    Vectors of a space can be compared with each other, and with those of no other space.

    Attributes
    ----------
    name : str
        The name, unique in the snapshot.
    trained : bool
        False where the network has random weights. Its neighbours then mean nothing.
    dimension : int
        The numbers in a vector.
    licence : str or None
        The terms of the network's weights, as their publisher states them. None where the snapshot
        does not record them.
    fingerprint : str
        The digest of everything that decides a vector. Vectors of snapshots with the same
        fingerprint can be compared.
    """

    name: str
    trained: bool
    dimension: int
    licence: str | None
    fingerprint: str
    _view: SnapshotView = field(repr=False, compare=False)
    _pictures: PictureQuery = field(repr=False, compare=False)

    @cached_property
    def vectors(self) -> Vectors:
        """The vectors of all artworks.

        Returns
        -------
        numpy.ndarray
            float32 [n, dimension], read-only and mapped from disk. Row i belongs to artwork i of
            `Collection.artworks`. Each row has length 1, so the cosine of two artworks is their
            product; a network's zero vector stays zero. For a root on S3 the file is copied into
            the cache folder first ($XDG_CACHE_HOME/simsearch or ~/.cache/simsearch), and where
            not all artworks have the same copies, the rows are.

        Raises
        ------
        StorageError
            If the file cannot be read, or the snapshot was removed since it was opened (GoneError).
        MismatchError
            If the file does not match its manifest.
        """
        with naming_removal(self._view.snapshot):
            return artwork_vectors(self._view, self.name)

    def neighbours(self, artwork: str | Artwork, n: int = 10) -> Matches:
        """The other artworks that are nearest to one, by exact search over `vectors`.

        Parameters
        ----------
        artwork : str or Artwork
            The artwork or its id.
        n : int, optional
            The most matches, at least 1. There are fewer where the collection has fewer artworks.

        Returns
        -------
        Matches
            Nearest first. Artworks at the same distance are in the order of `Collection.artworks`.

        Raises
        ------
        NotFoundError
            If the snapshot has no such artwork, or no vector of it because its image was rejected.
            The message gives the reason.
        UsageError
            If `n` is less than 1.
        """
        wanted = checked_count(n)
        number = _number(self._view, artwork)
        units = self.vectors
        wanted = min(wanted, len(units) - 1)
        nearest = exact_search(units, units[[number]], wanted + 1)
        others = drop_query(nearest, np.array([number]), wanted)
        matches = zip(others.items[0].tolist(), others.distances[0].tolist(), strict=True)
        return self._matches(str(self._view.artwork_at(number).artwork_id), list(matches))

    def search(self, picture: str | os.PathLike[str], n: int = 10) -> Matches:
        """The artworks that are nearest to a picture. Loads the network at the first call.

        The snapshot's index is asked, as `simsearch query` does: where copies were embedded, an
        artwork counts at its nearest image.

        Parameters
        ----------
        picture : str or os.PathLike
            An image file on this machine.
        n : int, optional
            The most matches, at least 1.

        Returns
        -------
        Matches
            Nearest first.

        Raises
        ------
        UsageError
            If the extra `run` is not installed, `n` is less than 1, or the file is no readable
            picture.
        MismatchError
            If the weights at hand are not those of the snapshot.
        WeightsError
            If the weights cannot be had.
        """
        wanted = checked_count(n)
        (matches,) = search_spaces([self], given_file(self._view, picture), picture, wanted)
        return matches

    def positions(self, method: str = "umap") -> npt.NDArray[np.float32]:
        """The places of all artworks on a map of the space.

        Parameters
        ----------
        method : str, optional
            The projection: "umap" or "pca".

        Returns
        -------
        numpy.ndarray
            float32 [n, 2], x and y in the method's own units. Row i belongs to artwork i of
            `Collection.artworks`.

        Raises
        ------
        NotFoundError
            If the snapshot has no such map. The message lists the maps that it has.
        """
        methods = self._view.maps.get(self.name, ())
        if method not in methods:
            raise NotFoundError(
                f"{method!r}: no such map of {self.name} in snapshot {self._view.snapshot_id}; it has "
                f"{', '.join(methods) or 'none'}"
            )
        with naming_removal(self._view.snapshot):
            return self._view.coordinates(self.name, method)

    def _matches(self, query: str, nearest: list[tuple[int, float]]) -> Matches:
        rows = self._view.catalog.take(
            pa.array([number for number, _ in nearest], pa.int64())
        ).to_pylist()
        matches = tuple(
            Match(rank, Artwork.from_row(row), distance)
            for rank, (row, (_, distance)) in enumerate(zip(rows, nearest, strict=True), start=1)
        )
        return Matches(self.name, query, matches, self._view)


def given_file(view: SnapshotView, picture: str | os.PathLike[str]) -> GivenPicture:
    """A picture file to search a snapshot with. Raises UsageError as `Space.search` does."""
    check_installed("run", "a search by picture")
    return read_file(view, Path(picture))


def search_spaces(
    spaces: Sequence[Space], given: GivenPicture, name: str | os.PathLike[str], n: int
) -> list[Matches]:
    """The matches of `Space.search` in each of some spaces of one snapshot, for a picture of a `name`."""
    answers = []
    for space in spaces:
        with naming_removal(space._view.snapshot):
            nearest = space._pictures.nearest(space._view, space.name, given, n)
        places = [(artwork.number, neighbour.distance) for neighbour, artwork in nearest]
        answers.append(space._matches(os.fspath(name), places))
    return answers


def checked_count(n: int) -> int:
    """`n` as an int. Raises UsageError for less than 1 and for other things than numbers."""
    try:
        count = operator.index(n)
    except TypeError:
        count = 0
    if count < 1:
        raise UsageError(f"n: {n!r} matches asked for; ask for 1 or more")
    return count


def _number(view: SnapshotView, artwork: str | Artwork) -> int:
    identifier = artwork.artwork_id if isinstance(artwork, Artwork) else artwork
    number = view.number_of(identifier)
    if number is None:
        raise NotFoundError(f"{identifier!r}: {absence(view, identifier)}")
    return number


def absence(view: SnapshotView, artwork_id: object) -> str:
    """The reason, in words, for which a snapshot has no vector of an artwork."""
    with naming_removal(view.snapshot):
        rejects = view.rejects
    for row in rejects.to_pylist():
        if row["artwork_id"] == artwork_id:
            detail = f" ({row['detail']})" if row["detail"] else ""
            return (
                f"no vector in snapshot {view.snapshot_id}: its image was rejected by {row['stage']}, "
                f"{row['reason']}{detail}; mend the image and run `simsearch run` again"
            )
    return f"no artwork of that id in snapshot {view.snapshot_id}; take one of Collection.artworks"

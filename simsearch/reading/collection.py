"""A collection as Python reads it: `simsearch.open`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from simsearch.errors import NotFoundError, UnknownNameError
from simsearch.reading.picture_query import GivenPicture, PictureQuery
from simsearch.reading.removed import naming_removal
from simsearch.reading.space import Space, absence, checked_count, given_file, search_spaces
from simsearch.reading.stored_points import PointReader
from simsearch.reading.values import Artwork, Artworks, Matches, SamePicture
from simsearch.reading.view import SnapshotView
from simsearch.settings.config import Config, load_config
from simsearch.snapshots.published import find_snapshot, latest_snapshot, list_snapshots
from simsearch.snapshots.root import require_root
from simsearch.snapshots.snapshot import Snapshot
from simsearch.storage.storage import root_of


def open_collection(root: str | os.PathLike[str], overrides: Sequence[str] = ()) -> Collection:
    """Open the published snapshot of a root. `simsearch.open` is this function.

    Parameters
    ----------
    root : str or os.PathLike
        The place in which `simsearch run` keeps everything: a folder, or s3://bucket/prefix.
    overrides : sequence of str, optional
        Settings as `key=value`, such as "storage.endpoint_url=https://s3.example.org".

    Returns
    -------
    Collection

    Raises
    ------
    UsageError
        If there is no root at that place, or a setting is wrong.
    NotFoundError
        If nothing is published there yet.
    StorageError
        If the place cannot be read, or a file in it is damaged.
    """
    config = load_config(None, overrides).model_copy(update={"root": os.fspath(root)})
    storage = root_of(config)
    require_root(storage)
    return collection_of(config, latest_snapshot(storage))


def collection_of(config: Config, snapshot: Snapshot) -> Collection:
    """A sealed snapshot as a collection.

    Parameters
    ----------
    config : Config
        The settings by which stores are reached and pictures are decoded.
    snapshot : Snapshot
        The snapshot to read.

    Raises
    ------
    StorageError
        If a file of the snapshot is gone or damaged.
    """
    return _open(config, snapshot, PictureQuery(PointReader()))


def _open(config: Config, snapshot: Snapshot, pictures: PictureQuery) -> Collection:
    view = SnapshotView(config, snapshot)
    assert (
        view.manifest
    )  # an unfinished snapshot has none; reading it keeps it in case the snapshot is removed
    return Collection(view, pictures)


@dataclass(frozen=True, repr=False)
class Collection:
    """One snapshot of a collection: artworks, and the spaces in which they are near or far."""

    _view: SnapshotView
    _pictures: PictureQuery = field(compare=False)

    @property
    def root(self) -> str:
        """The URI of the root."""
        return self._view.snapshot.storage.root

    @property
    def snapshot_id(self) -> str:
        """The id of the snapshot: 16 hexadecimal digits."""
        return self._view.snapshot_id

    @property
    def created(self) -> str:
        """The time at which the snapshot was sealed, ISO 8601 in UTC."""
        return str(self._view.manifest["created"])

    @property
    def snapshots(self) -> tuple[str, ...]:
        """The ids of all snapshots of the root, newest first."""
        return tuple(
            snapshot.snapshot_id for snapshot in list_snapshots(self._view.snapshot.storage)
        )

    def at(self, snapshot_id: str) -> Collection:
        """Another snapshot of the same root.

        Parameters
        ----------
        snapshot_id : str
            An id of `snapshots`, the beginning of one, or "latest".

        Returns
        -------
        Collection

        Raises
        ------
        UsageError
            If no snapshot, or more than one, has that id. The message lists those there are.
        """
        snapshot = find_snapshot(self._view.snapshot.storage, snapshot_id)
        return _open(self._view.config, snapshot, self._pictures)

    @property
    def spaces(self) -> tuple[Space, ...]:
        """The feature spaces, trained ones first."""
        return tuple(self.space(name) for name in self._view.spaces)

    def space(self, name: str) -> Space:
        """The feature space of a name.

        Parameters
        ----------
        name : str
            The name, such as "resnet152".

        Returns
        -------
        Space

        Raises
        ------
        UnknownNameError
            If the snapshot has no such space. The message lists those it has.
        """
        if name not in self._view.spaces:
            raise UnknownNameError("space", name, self._view.spaces)
        space = self._view.space(name)
        return Space(
            space.name,
            space.trained,
            space.dimension,
            space.licence,
            space.fingerprint,
            self._view,
            self._pictures,
        )

    def search(self, picture: str | os.PathLike[str], n: int = 10) -> dict[str, Matches]:
        """The artworks that are nearest to a picture, in every space. Loads the networks at the first call.

        Parameters
        ----------
        picture : str or os.PathLike
            An image file on this machine.
        n : int, optional
            The most matches in each space, at least 1.

        Returns
        -------
        dict of str to Matches
            The matches by the name of their space, as `Space.search` gives them.

        Raises
        ------
        UsageError, MismatchError, WeightsError
            As `Space.search` does.
        """
        wanted = checked_count(n)
        return self._search(given_file(self._view, picture), picture, wanted)

    def same_pictures(self, picture: str | os.PathLike[str]) -> tuple[SamePicture, ...]:
        """The artworks that show the same picture, the surest first. Loads the networks at the first call.

        The bytes are compared with all artworks. Geometry compares the picture with the artworks that are
        nearest to it, or to its mirror images, in a trained space.

        Parameters
        ----------
        picture : str or os.PathLike
            An image file on this machine.

        Returns
        -------
        tuple of SamePicture

        Raises
        ------
        UsageError, MismatchError, WeightsError
            As `Space.search` does.
        """
        return self._same_pictures(given_file(self._view, picture))

    def _search(
        self, given: GivenPicture, name: str | os.PathLike[str], n: int
    ) -> dict[str, Matches]:
        answers = search_spaces(self.spaces, given, name, n)
        return {matches.space: matches for matches in answers}

    def _same_pictures(self, given: GivenPicture) -> tuple[SamePicture, ...]:
        with naming_removal(self._view.snapshot):
            same = self._pictures.same_pictures(self._view, given)
        return tuple(
            SamePicture(
                Artwork.from_row(own.artwork.row),
                own.relation,
                own.mirrored,
                own.inliers,
                own.false_alarms,
                own.words,
                own.evidence,
            )
            for own in same
        )

    @property
    def artworks(self) -> Artworks:
        """The artworks that have vectors, sorted by id."""
        return Artworks(self._view.catalog, self._view)

    def artwork(self, artwork_id: str) -> Artwork:
        """The artwork of an id.

        Parameters
        ----------
        artwork_id : str
            The id.

        Returns
        -------
        Artwork

        Raises
        ------
        NotFoundError
            If the snapshot has no such artwork, or rejected its image. The message gives the reason.
        """
        number = self._view.number_of(artwork_id)
        if number is None:
            raise NotFoundError(f"{artwork_id!r}: {absence(self._view, artwork_id)}")
        return self.artworks[number]

    @property
    def metrics(self) -> pa.Table:
        """All scores of the snapshot, as stored: a table of `simsearch.schemas.METRICS`.

        `mean` is the score, `ci_low` and `ci_high` its 95 % interval, `ceiling` the score of a perfect
        search and `n` the number of originals.

        Raises
        ------
        GoneError
            If the snapshot was removed since it was opened.
        """
        with naming_removal(self._view.snapshot):
            return self._view.metrics

    def __repr__(self) -> str:
        spaces = ", ".join(self._view.spaces)
        return (
            f"<Collection {self._view.collection!r}: {len(self._view):,} artworks, spaces {spaces}, "
            f"snapshot {self.snapshot_id} of {self._view.created}>"
        )


def query_file(
    collection: Collection, picture: str | os.PathLike[str], n: int
) -> tuple[tuple[SamePicture, ...], dict[str, Matches]]:
    """What `same_pictures` and `search` of a collection say of a picture file.

    The file is read once, and each network asked once.
    """
    given = given_file(collection._view, picture)
    matches = collection._search(given, picture, n)
    return collection._same_pictures(given), matches

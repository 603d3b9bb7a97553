"""Artworks and matches as Python gets them, with a table and, in a notebook, a row of pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

import pyarrow as pa

from simsearch.indexes.exact import cosine
from simsearch.reading.artworks import shorten
from simsearch.reading.picture_row import Picture, picture_row
from simsearch.reading.view import SnapshotView
from simsearch.settings.extras import check_installed

if TYPE_CHECKING:
    import pandas as pd

ROWS_AT_ONCE = 1024  # of a catalog, read at once in an iteration
NAMED = 3  # artworks named in a `repr`

MATCHES = pa.schema(
    [
        pa.field("rank", pa.int32(), nullable=False),
        pa.field("artwork_id", pa.string(), nullable=False),
        pa.field("title", pa.string()),
        pa.field("artists", pa.list_(pa.string())),
        pa.field("date", pa.string()),
        pa.field("url", pa.string()),
        pa.field("image_uri", pa.string()),
        pa.field("distance", pa.float64(), nullable=False),
        pa.field("cosine", pa.float64(), nullable=False),
    ]
)


@dataclass(frozen=True)
class Artwork:
    """An artwork as its catalog describes it. A text that the catalog does not have is None.

    Attributes
    ----------
    artwork_id : str
        The id, unique in the collection.
    artists, subjects : tuple of str
        Names, empty where the catalog has none.
    rights : str or None
        The terms of the image, as its publisher states them: a licence's address or words.
    attribution : str or None
        The words that have to be shown beside the image.
    url : str or None
        The artwork's page. It is text from the catalog: check it before you follow it.
    image_uri : str or None
        The place of the image file.
    """

    artwork_id: str
    title: str | None = None
    artists: tuple[str, ...] = ()
    date: str | None = None
    medium: str | None = None
    dimensions: str | None = None
    department: str | None = None
    classification: str | None = None
    subjects: tuple[str, ...] = ()
    credit: str | None = None
    rights: str | None = None
    attribution: str | None = None
    url: str | None = None
    image_uri: str | None = None

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Artwork:
        """The artwork of a catalog's row.

        Parameters
        ----------
        row : dict
            A row of `simsearch.schemas.CATALOG`.
        """
        values: dict[str, Any] = {name: row.get(name) for name in cls.__dataclass_fields__}
        for name in ("artists", "subjects"):
            values[name] = tuple(values[name] or ())
        return cls(**values)

    def __repr__(self) -> str:
        texts = [self.artwork_id, self.title or "untitled", *self.artists[:1]]
        return f"<Artwork {', '.join(map(_quote, texts))}>"


@dataclass(frozen=True)
class Match:
    """An artwork that is near to another one or to a picture.

    Attributes
    ----------
    rank : int
        1 for the nearest.
    artwork : Artwork
        The artwork that is near.
    distance : float
        Angular distance √(2 − 2·cosine) of the two vectors, from 0 (same direction) to 2.
    """

    rank: int
    artwork: Artwork
    distance: float

    @property
    def cosine(self) -> float:
        """The cosine similarity of the two vectors, from −1 to 1."""
        return cosine(self.distance)


@dataclass(frozen=True)
class SamePicture:
    """An artwork that shows a given picture: the same bytes, or as geometry verifies.

    Attributes
    ----------
    artwork : Artwork
        The artwork.
    relation : str
        What the given picture is to the artwork's: "same file", "same picture", "edited", "mirrored",
        "negative" (light and dark exchanged), "version" (the composition agrees, the hand does not),
        "detail of" or "has detail".
    mirrored : bool
        Whether one picture turns the other over.
    inliers : int or None
        The points that both have in common, in the same arrangement. None for equal bytes.
    false_alarms : float or None
        The number of pairs of other works, among all that were compared in the collection, of which
        chance would give as much evidence. At most 1. None for equal bytes.
    words, evidence : str
        Relation and evidence for readers.
    """

    artwork: Artwork
    relation: str
    mirrored: bool
    inliers: int | None
    false_alarms: float | None
    words: str
    evidence: str


@dataclass(frozen=True)
class Artworks(Sequence[Artwork]):
    """The artworks of a snapshot that have vectors, sorted by id.

    Row i of `Space.vectors` belongs to artwork i. `artworks[i]` gives an `Artwork`, `artworks[i:j]` gives `Artworks`.
    """

    _rows: pa.Table
    _view: SnapshotView = field(compare=False)

    def __len__(self) -> int:
        return int(self._rows.num_rows)

    @overload
    def __getitem__(self, place: int) -> Artwork: ...
    @overload
    def __getitem__(self, place: slice) -> Artworks: ...
    def __getitem__(self, place: int | slice) -> Artwork | Artworks:
        places = range(len(self))[place]
        if isinstance(places, range):
            return Artworks(self._rows.take(pa.array(places, pa.int64())), self._view)
        (row,) = self._rows.slice(places, 1).to_pylist()
        return Artwork.from_row(row)

    def __iter__(self) -> Iterator[Artwork]:
        for start in range(0, len(self), ROWS_AT_ONCE):
            yield from map(Artwork.from_row, self._rows.slice(start, ROWS_AT_ONCE).to_pylist())

    def to_table(self) -> pa.Table:
        """The artworks as a table of `simsearch.schemas.CATALOG`, a row each.

        Returns
        -------
        pyarrow.Table
        """
        return self._rows

    def to_pandas(self) -> pd.DataFrame:
        """The artworks as a data frame with the columns of `to_table`.

        Returns
        -------
        pandas.DataFrame

        Raises
        ------
        UsageError
            If pandas is not installed, which the extra `pandas` brings.
        """
        return _data_frame(self.to_table())

    def __repr__(self) -> str:
        ids = [_quote(artwork.artwork_id) for artwork in self[:NAMED]]
        return f"<{len(self):,} artworks{_name_some(ids, len(self))}>"

    def _repr_html_(self) -> str:
        return picture_row(self._view, (_picture(artwork) for artwork in self), len(self))


@dataclass(frozen=True)
class Matches(Sequence[Match]):
    """The nearest artworks of an artwork or of a picture, nearest first.

    Attributes
    ----------
    space : str
        The name of the space in which they are near.
    query : str
        The id of the artwork, or the path of the picture, that was asked with.
    """

    space: str
    query: str
    _matches: tuple[Match, ...] = field(repr=False)
    _view: SnapshotView = field(compare=False, repr=False)

    def __len__(self) -> int:
        return len(self._matches)

    @overload
    def __getitem__(self, place: int) -> Match: ...
    @overload
    def __getitem__(self, place: slice) -> Matches: ...
    def __getitem__(self, place: int | slice) -> Match | Matches:
        if isinstance(place, slice):
            return Matches(self.space, self.query, self._matches[place], self._view)
        return self._matches[place]

    def to_table(self) -> pa.Table:
        """The matches as a table, a row each, nearest first.

        Returns
        -------
        pyarrow.Table
            Columns `rank` (int32), `artwork_id`, `title`, `artists` (list of strings), `date`, `url`,
            `image_uri`, `distance` and `cosine` (both float64).
        """
        rows = [
            {
                **{name: getattr(match.artwork, name, None) for name in MATCHES.names},
                "rank": match.rank,
                "distance": match.distance,
                "cosine": match.cosine,
            }
            for match in self
        ]
        return pa.Table.from_pylist(rows, schema=MATCHES)

    def to_pandas(self) -> pd.DataFrame:
        """The matches as a data frame with the columns of `to_table`.

        Returns
        -------
        pandas.DataFrame

        Raises
        ------
        UsageError
            If pandas is not installed, which the extra `pandas` brings.
        """
        return _data_frame(self.to_table())

    def __repr__(self) -> str:
        nearest = [
            f"{_quote(match.artwork.artwork_id)} {match.cosine:.3f}" for match in self[:NAMED]
        ]
        return f"<{len(self)} matches of {_quote(self.query)} in {self.space}{_name_some(nearest, len(self))}>"

    def _repr_html_(self) -> str:
        pictures = (_picture(match.artwork, f"{match.cosine:.3f}") for match in self)
        return picture_row(self._view, pictures, len(self))


def _quote(text: str) -> str:
    """A catalog's text in quotes, bounded and without characters that a terminal obeys."""
    return repr(shorten(text))


def _name_some(names: list[str], count: int) -> str:
    if not names:
        return ""
    return f": {', '.join(names)}{', …' if count > len(names) else ''}"


def _data_frame(table: pa.Table) -> pd.DataFrame:
    check_installed("pandas", "to_pandas")
    frame: pd.DataFrame = table.to_pandas()
    return frame


def _picture(artwork: Artwork, note: str = "") -> Picture:
    return Picture(artwork.artwork_id, artwork.title, artwork.artists, note)

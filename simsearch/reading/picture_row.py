"""A row of pictures as HTML, for notebooks. It needs no server: thumbnails are in the HTML itself."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from itertools import islice

from simsearch.errors import StorageError
from simsearch.images.thumbnails import EARLY_SIZES, is_whole, thumbnail_path
from simsearch.reading.artworks import shorten
from simsearch.reading.view import SnapshotView
from simsearch.storage.storage import read_uri

MOST_PICTURES = 12  # in a row, 25 kB each
MOST_BYTES = 2**18  # of a thumbnail; one of 400 pixels has 10 to 60 kB
CAPTION = 60  # characters of a title

ROW = "display:flex;gap:8px;overflow-x:auto;align-items:flex-start"
FIGURE = "margin:0;flex:none;width:128px;font-size:12px;overflow-wrap:anywhere"
IMAGE = "max-width:128px;max-height:128px;display:block"


@dataclass(frozen=True)
class Picture:
    """An artwork in a row of pictures, with a `note` below its title."""

    artwork_id: str
    title: str | None
    artists: tuple[str, ...]
    note: str = ""


def picture_row(view: SnapshotView, pictures: Iterable[Picture], count: int) -> str:
    """The first MOST_PICTURES of `count` pictures as HTML. Texts are escaped. A picture without a stored
    thumbnail has only its title."""
    figures = [_figure(view, picture) for picture in islice(pictures, MOST_PICTURES)]
    more = f"<p>and {count - len(figures):,} more</p>" if count > len(figures) else ""
    return f'<div style="{ROW}">{"".join(figures)}</div>{more}'


def _figure(view: SnapshotView, picture: Picture) -> str:
    title = shorten(picture.title or picture.artwork_id, CAPTION)
    lines = [title, shorten(", ".join(picture.artists), CAPTION), picture.note]
    caption = "<br>".join(escape(line) for line in lines if line)
    address = thumbnail_uri(view, picture.artwork_id)
    image = f'<img src="{address}" alt="{escape(title)}" style="{IMAGE}">' if address else ""
    return f'<figure style="{FIGURE}">{image}<figcaption>{caption}</figcaption></figure>'


def thumbnail_uri(view: SnapshotView, artwork_id: str) -> str | None:
    """The largest stored thumbnail of an artwork's image as a data URI. None if there is none."""
    number = view.number_of(artwork_id)
    if number is None:
        return None
    content_hash = view.hashes[int(view.item_of_artwork[number])].as_py()
    storage = view.snapshot.storage
    for size in sorted(EARLY_SIZES, reverse=True):
        uri = storage.uri(thumbnail_path(content_hash, size))
        try:
            data = read_uri(uri, storage.config, MOST_BYTES)
        except StorageError:
            continue
        if len(data) <= MOST_BYTES and is_whole(data):
            return f"data:image/webp;base64,{base64.b64encode(data).decode()}"
    return None

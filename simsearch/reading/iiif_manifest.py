"""A set as a IIIF manifest (Presentation API 3.0), for any viewer of museums' pictures."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from typing import Any

from simsearch.reading.artworks import ViewArtwork

MOST = 500  # artworks of a manifest, as each one's picture has to be measured
_RIGHTS = re.compile(r"^https?://(creativecommons\.org|rightsstatements\.org)/[^\s\"<>]+$")
_PAGE = re.compile(r"^https?://[^\s\"<>]+$")
NAMES = {
    "artists": "Artist", "date": "Date", "medium": "Medium", "dimensions": "Dimensions",
    "department": "Department", "classification": "Classification", "credit": "Credit",
}  # fmt: skip

Json = dict[str, Any]


def manifest(
    address: str,
    name: str,
    artworks: Sequence[ViewArtwork],
    picture: Callable[[ViewArtwork, int], str],
    measured: Callable[[ViewArtwork], tuple[int, int] | None],
) -> Json:
    """A manifest with a canvas per artwork. `address` is the manifest's own address, and `picture(artwork,
    size)` gives a picture's; both are absolute. `measured` gives the width and height of the picture at
    size 400, None if it is gone.

    The specification forbids a fragment in a canvas's id, so the canvas's number is part of the query.
    """
    return {
        "@context": "http://iiif.io/api/presentation/3/context.json",
        "id": address,
        "type": "Manifest",
        "label": _words(name),
        "items": [
            _canvas(canvas_id(address, place), artwork, picture, measured(artwork))
            for place, artwork in enumerate(artworks, start=1)
        ],
    }


def canvas_id(address: str, place: int) -> str:
    """The id of a canvas of a manifest, by its place from 1."""
    return f"{address}{'&' if '?' in address else '?'}canvas={place}"


def canvas_size(size: tuple[int, int]) -> tuple[int, int]:
    """The width and height of the canvas of a picture whose thumbnail has that size."""
    return 3 * size[0], 3 * size[1]


def _canvas(
    canvas: str,
    artwork: ViewArtwork,
    picture: Callable[[ViewArtwork, int], str],
    size: tuple[int, int] | None,
) -> Json:
    width, height = size or (400, 400)
    label = _words(artwork.whole_title) if artwork.row["title"] else _english(artwork.title)
    canvas_json: Json = {
        "id": canvas,
        "type": "Canvas",
        "label": label,
        "width": canvas_size((width, height))[0],
        "height": canvas_size((width, height))[1],
        "metadata": [
            {"label": _english(name), "value": _words(*_texts(artwork.row.get(column)))}
            for column, name in NAMES.items()
            if _texts(artwork.row.get(column))
        ],
    }
    rights, attribution = artwork.row.get("rights"), artwork.row.get("attribution")
    if rights and _RIGHTS.match(rights):
        # Creative Commons and RightsStatements.org give their statements addresses with http.
        canvas_json["rights"] = re.sub("^https", "http", rights)
    elif rights:  # the specification allows neither other addresses nor texts there
        canvas_json["metadata"].append({"label": _english("Rights"), "value": _words(rights)})
    if attribution:
        canvas_json["requiredStatement"] = {
            "label": _english("Attribution"),
            "value": _words(attribution),
        }
    if artwork.row.get("url") and _PAGE.match(artwork.row["url"]):
        canvas_json["homepage"] = [
            {"id": artwork.row["url"], "type": "Text", "label": label, "format": "text/html"}
        ]
    if size is None:  # the specification allows no empty lists
        return canvas_json
    small, large = picture(artwork, 400), picture(artwork, 1200)
    canvas_json["thumbnail"] = [_image(small, width, height)]
    painting = {
        "id": f"{canvas}&part=painting",
        "type": "Annotation",
        "motivation": "painting",
        "target": canvas,
        "body": _image(large, 3 * width, 3 * height),
    }
    page = {"id": f"{canvas}&part=page", "type": "AnnotationPage", "items": [painting]}
    return canvas_json | {"items": [page]}


def _image(address: str, width: int, height: int) -> Json:
    kind = "image/webp" if ".webp" in address else "image/jpeg"
    return {"id": address, "type": "Image", "format": kind, "width": width, "height": height}


def _texts(value: object) -> list[str]:
    if isinstance(value, list):
        return [str(text) for text in value if text]
    return [str(value)] if value else []


def _english(text: str) -> dict[str, list[str]]:
    """A language map of English words."""
    return {"en": [text]}


def _words(*texts: str) -> dict[str, list[str]]:
    """A language map of a catalog's texts, whose language is unknown. A viewer takes a text from "<" to ">"
    for HTML, so such a text is escaped."""
    return {
        "none": [html.escape(text) if text.lstrip().startswith("<") else text for text in texts]
    }

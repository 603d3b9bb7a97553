"""Verdicts as W3C Web Annotations on the canvases of the explorer's IIIF manifests."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

import numpy as np
import numpy.typing as npt
from PIL import Image

from simsearch.errors import NotFoundError
from simsearch.judgements.verdicts import Given
from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.findings.listed_pairs import ListedPairs
from simsearch.reading.iiif_manifest import Json, canvas_id, canvas_size
from simsearch.reading.pictures import Pictures
from simsearch.reading.sets import encode
from simsearch.reading.verdicts import numbers_by_hash, words_of
from simsearch.reading.view import SnapshotView
from simsearch.schemas import PICTURE_SIZE

MEASURED = 400  # pixels of the longer side of the thumbnail by which a canvas is measured

Corners = npt.NDArray[np.float64]
Size = tuple[int, int]


def manifest_address(address: str, view: SnapshotView, numbers: Iterable[int]) -> str:
    """The address of the manifest of artworks, at the explorer's address."""
    query = urlencode({"snapshot": view.snapshot_id, "ids": encode(numbers)})
    return f"{address.rstrip('/')}/set/manifest.json?{query}"


def annotation_page(
    view: SnapshotView, pictures: Pictures, address: str, verdicts: Iterable[Given]
) -> Json:
    """An AnnotationPage with an annotation for each verdict on two artworks of the snapshot. Its targets are
    canvases of the pair's manifest at the explorer's `address`, of each the part that the other picture
    shows as far as the snapshot lists how one lies on the other."""
    number_of, listed = numbers_by_hash(view), ListedPairs(view)
    items = []
    for given in verdicts:
        numbers = number_of.get(given.first_hash), number_of.get(given.second_hash)
        if numbers[0] is None or numbers[1] is None:
            continue
        works = view.artwork_at(numbers[0]), view.artwork_at(numbers[1])
        pair = listed.between(works[0].number, works[1].number)
        transform = None if pair is None else pair.transform
        items.append(_annotation(view, pictures, address, given, works, transform))
    return {
        "@context": "http://www.w3.org/ns/anno.jsonld",
        "id": f"{address.rstrip('/')}/findings/verdicts.json?snapshot={view.snapshot_id}",
        "type": "AnnotationPage",
        "items": items,
    }


def _annotation(
    view: SnapshotView,
    pictures: Pictures,
    address: str,
    given: Given,
    works: tuple[ViewArtwork, ViewArtwork],
    transform: Corners | None,
) -> Json:
    manifest = manifest_address(address, view, [work.number for work in works])
    order = sorted(work.number for work in works)
    sizes = [_measured(view, pictures, work) for work in works]
    regions: list[Corners | None] = [None, None]
    if transform is not None and sizes[0] is not None and sizes[1] is not None:
        back = np.asarray(np.linalg.inv(transform), np.float64)
        regions = [shown_part(sizes[0], sizes[1], back), shown_part(sizes[1], sizes[0], transform)]
    targets = [
        _target(canvas_id(manifest, order.index(work.number) + 1), manifest, size, region)
        for work, size, region in zip(works, sizes, regions, strict=True)
    ]
    return {
        "id": f"urn:simsearch:verdict:{given.first_hash[:20]}:{given.second_hash[:20]}:{given.at}",
        "type": "Annotation",
        "motivation": "classifying",
        "created": given.at,
        "creator": {"type": "Person", "name": given.who},
        "body": [
            {"type": "TextualBody", "purpose": "classifying", "value": str(given.verdict)},
            {
                "type": "TextualBody",
                "purpose": "describing",
                "value": words_of(given, given.first_hash),
                "language": "en",
            },
        ],
        "target": targets,
    }


def _target(canvas: str, manifest: str, size: Size | None, region: Corners | None) -> Json:
    source: dict[str, Any] = {
        "id": canvas,
        "type": "Canvas",
        "partOf": [{"id": manifest, "type": "Manifest"}],
    }
    if size is None or region is None:
        return {"type": "SpecificResource", "source": source}
    wide, high = canvas_size(size)
    low, top = region.min(0), region.max(0)
    left, upper = int(np.floor(low[0] * wide)), int(np.floor(low[1] * high))
    right, lower = int(np.ceil(top[0] * wide)), int(np.ceil(top[1] * high))
    selector = {
        "type": "FragmentSelector",
        "conformsTo": "http://www.w3.org/TR/media-frags/",
        "value": f"xywh={left},{upper},{right - left},{lower - upper}",
    }
    return {"type": "SpecificResource", "source": source, "selector": selector}


def _measured(view: SnapshotView, pictures: Pictures, artwork: ViewArtwork) -> Size | None:
    """The size of the artwork's thumbnail; None if the picture is gone."""
    try:
        data = pictures.thumbnail(view, artwork.item, MEASURED)
    except NotFoundError:
        return None
    return Image.open(io.BytesIO(data)).size


def shown_part(size: Size, other: Size, transform: Corners) -> Corners | None:
    """The convex part [m, 2] of a picture, in shares of its sides, that another shows. `transform` leads from
    the other to this one, as in schemas.NEAR_DUPLICATES. None where they have no part in common."""
    own, others = _scaled(size), _scaled(other)
    frame = np.array([[0, 0], [others[0], 0], others, [0, others[1]]])
    ends = np.column_stack([frame, np.ones(4)]) @ transform.T
    if (ends[:, 2] <= 0).any() and (ends[:, 2] >= 0).any():
        return None  # the transform takes a part of the other picture beyond the horizon
    part = ends[:, :2] / ends[:, 2:] / own
    for axis in (0, 1):
        for edge, inward in ((0.0, 1.0), (1.0, -1.0)):
            part = _clip(part, inward * (part[:, axis] - edge))
    return part.clip(0, 1) if len(part) >= 3 else None


def _clip(corners: Corners, inside: Corners) -> Corners:
    """The part of a convex polygon where a linear function, of which `inside` [m] are the corners' values,
    is not negative (Sutherland and Hodgman 1974)."""
    kept = []
    for place in range(len(corners)):
        after = (place + 1) % len(corners)
        if inside[place] >= 0:
            kept.append(corners[place])
        if (inside[place] >= 0) != (inside[after] >= 0):
            share = inside[place] / (inside[place] - inside[after])
            kept.append(corners[place] + share * (corners[after] - corners[place]))
    return np.array(kept).reshape(-1, 2)


def _scaled(size: Size) -> Corners:
    return np.array(size) * (PICTURE_SIZE / max(size))

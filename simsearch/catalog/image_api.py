"""The address at which a IIIF image server gives an image in the size that is used (Image API 1.1,
2.1.1 and 3.0, iiif.io/api/image)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from simsearch.catalog.iiif import Canvas, address_of, listed, number_of


def image_address(canvas: Canvas, info: Mapping[str, Any] | None, pixels: int) -> str | None:
    """The address of a canvas's image with a longer side of `pixels`, or of the nearest size that its
    server gives; None where there is no address.

    `info` is the service's info.json, None where what the manifest says of it is enough.
    """
    service = {**(canvas.service or {}), **(info or {})}
    base = address_of(service.get("@id") or service.get("id"))
    if base is None:
        return canvas.url
    version, level = image_api(service)
    width = number_of(service.get("width")) or canvas.width
    height = number_of(service.get("height")) or canvas.height
    size = _size(service, version, level, width, height, pixels)
    quality = "native" if version == 1 else "default"
    return f"{base.rstrip('/')}/full/{size}/0/{quality}.jpg"


def needs_info(canvas: Canvas) -> bool:
    """Whether the manifest leaves open which sizes the image server gives."""
    if canvas.service is None:
        return False
    _, level = image_api(canvas.service)
    return level < 2 or not (canvas.width and canvas.height)


def image_api(service: Mapping[str, Any]) -> tuple[int, int]:
    """The version of the Image API and the compliance level, 0 to 2; 0 where nothing is said."""
    words = " ".join(str(service.get(key) or "") for key in ("@context", "type", "@type"))
    profile = service.get("profile")
    first = profile[0] if isinstance(profile, list) and profile else profile
    level = re.search(r"level([012])", str(first or ""))
    version = re.search(r"ImageService([123])|image/([123])/", f"{words} {first}")
    number = 2 if version is None else int(version.group(1) or version.group(2))
    if "library.stanford.edu/iiif/image-api" in words:
        number = 1
    return number, int(level.group(1)) if level else 0


def _size(
    service: Mapping[str, Any],
    version: int,
    level: int,
    width: int | None,
    height: int | None,
    pixels: int,
) -> str:
    largest = "max" if version == 3 else "full"
    confined = _confined(service)
    limit = _limit(service, width, height, pixels)
    if width and height and max(width, height) <= limit:
        return largest
    if level >= 2 or confined:
        return f"!{limit},{limit}"
    if level == 1 and width and height:
        return f"{max(1, round(width * limit / max(width, height)))},"
    sizes = [
        (size_width, number_of(size.get("height")))
        for size in service.get("sizes") or ()
        if isinstance(size, Mapping) and (size_width := number_of(size.get("width")))
    ]
    if not sizes:
        return largest
    enough = [size for size in sizes if max(size[0], size[1] or 0) >= limit]
    chosen = min(enough) if enough else max(sizes)
    return f"{chosen[0]},{chosen[1]}" if version == 3 and chosen[1] else f"{chosen[0]},"


def _limit(service: Mapping[str, Any], width: int | None, height: int | None, pixels: int) -> int:
    """The longer side to ask for, within what the server gives out (maxWidth, maxHeight, maxArea)."""
    profile = service.get("profile")
    extra = (
        next((extension for extension in profile if isinstance(extension, Mapping)), {})
        if isinstance(profile, list)
        else {}
    )
    caps = {
        name: number_of(service.get(name) or extra.get(name))
        for name in ("maxWidth", "maxHeight", "maxArea")
    }
    most_wide, most_high = caps["maxWidth"], caps["maxHeight"] or caps["maxWidth"]
    longer = max(width or 1, height or 1)
    limit = float(pixels)
    if most_wide:
        limit = min(limit, most_wide * longer / (width or longer))
    if most_high:
        limit = min(limit, most_high * longer / (height or longer))
    if caps["maxArea"] and width and height:
        limit = min(limit, longer * (caps["maxArea"] / (width * height)) ** 0.5)
    return max(1, int(limit))


def _confined(service: Mapping[str, Any]) -> bool:
    features = [*listed(service.get("extraFeatures"))]
    for extension in listed(service.get("profile")):
        if isinstance(extension, Mapping):
            features += listed(extension.get("supports"))
    return bool({"sizeByConfinedWh", "sizeByForcedWh"} & {str(feature) for feature in features})

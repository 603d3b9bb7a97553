"""The address at which a IIIF image server gives an image in the wanted size (Image API 1.1, 2.1.1 and
3.0, iiif.io/api/image)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from simsearch.catalog.iiif_pictures import UNKNOWN_PART, Canvas, claims_of, service_base
from simsearch.catalog.iiif_values import LARGEST, address_of, as_list, mappings, number_of

_CONFINED = {"sizeByConfinedWh", "sizeByForcedWh"}  # a size such as !1024,1024


def image_address(canvas: Canvas, info: Mapping[str, Any] | None, pixels: int) -> str | None:
    """The address of a canvas's picture with a longer side of `pixels`, or of the nearest size that the
    server gives. None if there is no address, or if the server cannot cut out the part that is shown.

    `info` is the service's info.json, None if the manifest says enough. Requests go to the address in the
    manifest: the address in info.json is often one from behind a proxy, or a decoded one.
    """
    base = address_of(canvas.service)
    if base is None:
        return canvas.url
    service = {**(canvas.service or {}), **(info or {})}
    version, level = image_api(service)
    whole = number_of(service.get("width")), number_of(service.get("height"))
    if None in whole:
        whole = canvas.width, canvas.height
    features = _features(service)
    region, width, height = _part(canvas.region, *whole)
    if region is None:
        return None
    plain = (region, canvas.rotation) == ("full", "0")
    cuts = level >= 1 or plain or "regionByPx" in features
    sizes = _sizes(service) if plain else []  # they are those of the whole image
    sized = level >= 1 or bool(features & {*_CONFINED, "sizeByW"} or sizes)
    if canvas.url is not None and not (cuts and sized):
        return canvas.url
    if not cuts:
        return None
    size = _size(service, version, level, (width, height), sizes, pixels)
    quality = "native" if version == 1 else "default"
    return f"{service_base(base)}/{region}/{size}/{canvas.rotation}/{quality}.jpg"


def info_address(canvas: Canvas) -> str | None:
    """The address of the info.json with the sizes that the image server gives. None if the manifest says
    enough, or if there is no server."""
    base = address_of(canvas.service)
    return f"{service_base(base)}/info.json" if base and needs_info(canvas) else None


def needs_info(canvas: Canvas) -> bool:
    """Whether the manifest leaves open which sizes the image server gives."""
    if canvas.service is None:
        return False
    _, level = image_api(canvas.service)
    sides = (
        number_of(canvas.service.get("width")) or canvas.width,
        number_of(canvas.service.get("height")) or canvas.height,
    )
    return level < 2 or None in sides


def image_api(service: Mapping[str, Any]) -> tuple[int, int]:
    """The version of the Image API and the compliance level, 0 to 2. Unstated ones are 0."""
    said = claims_of(service)
    level = re.search(r"level([012])", said)
    version = re.search(r"ImageService([123])|image/([123])/", said)
    number = 2 if version is None else int(version.group(1) or version.group(2))
    if "library.stanford.edu/iiif/image-api" in said:
        number = 1
    return number, int(level.group(1)) if level else 0


def _part(
    region: str, width: int | None, height: int | None
) -> tuple[str | None, int | None, int | None]:
    """A region as requests name it, in pixels if the image's size is known, and the region's size. None if
    the image has no such region."""
    if region == "full":
        return region, width, height
    if region == UNKNOWN_PART:
        return None, None, None
    if width is None or height is None:
        numbers = re.fullmatch(r"\d+,\d+,(\d+),(\d+)", region)
        return region, *((int(side) for side in numbers.groups()) if numbers else (None, None))
    if region == "square":
        side = min(width, height)
        left, top, wide, high = (width - side) // 2, (height - side) // 2, side, side
    else:
        scales = (1.0, 1.0)
        if region.startswith("pct:"):
            scales = width / 100, height / 100
        x, y, w, h = (float(number) for number in region.removeprefix("pct:").split(","))
        left, top = round(x * scales[0]), round(y * scales[1])
        wide = min(round(w * scales[0]), width - left)
        high = min(round(h * scales[1]), height - top)
    if wide < 1 or high < 1:
        return None, None, None
    if (left, top, wide, high) == (0, 0, width, height):
        return "full", width, height
    return f"{left},{top},{wide},{high}", wide, high


def _size(
    service: Mapping[str, Any],
    version: int,
    level: int,
    part: tuple[int | None, int | None],
    sizes: list[tuple[int, int]],
    pixels: int,
) -> str:
    largest = "max" if version == 3 else "full"
    width, height = part
    features = _features(service)
    limit = _limit(service, width, height, pixels)
    if width and height and max(width, height) <= limit:
        return largest
    if level >= 2 or features & _CONFINED:
        return f"!{limit},{limit}"
    if level == 1 or "sizeByW" in features:
        if width and height:
            return f"{max(1, round(width * limit / max(width, height)))},"
        return f"{limit},"
    if not sizes:
        return largest
    most = _limit(service, width, height, LARGEST)
    given = [size for size in sizes if max(size) <= most] or sizes
    enough = [size for size in given if max(size) >= limit]
    wide, high = min(enough, key=lambda size: size[0]) if enough else max(given)
    if wide == width:
        return largest  # a server that only has files names the whole image so
    if not high and width and height:
        high = max(1, round(height * wide / width))
    return f"{wide},{high}" if version == 3 and high else f"{wide},"


def _sizes(service: Mapping[str, Any]) -> list[tuple[int, int]]:
    """The widths and heights that a server has ready. An unstated height is 0."""
    return [
        (width, number_of(size.get("height")) or 0)
        for size in mappings(service.get("sizes"))
        if (width := number_of(size.get("width")))
    ]


def _limit(service: Mapping[str, Any], width: int | None, height: int | None, pixels: int) -> int:
    """The longer side to request, within the server's limits (maxWidth, maxHeight, maxArea)."""
    said = [service, *mappings(service.get("profile"))]
    caps = {
        name: next((most for part in said if (most := number_of(part.get(name)))), None)
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


def _features(service: Mapping[str, Any]) -> set[str]:
    """The features that a server has beyond its level."""
    features = as_list(service.get("extraFeatures"))
    for extension in mappings(service.get("profile")):
        features = features + as_list(extension.get("supports"))
    return {feature for feature in features if isinstance(feature, str)}

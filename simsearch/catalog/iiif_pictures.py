"""The picture of a canvas of Presentation 2 or 3, or the kind of thing that the canvas has instead."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote, urldefrag

from simsearch.catalog.iiif_values import address_of, as_list, kind_of, mappings, number_of, words

NESTING = 8  # levels of choices and parts; real documents have at most two
REFERENCES = 8  # most documents with annotations that a canvas may refer to

# The members of an image service's description from which addresses are made.
SERVICE_KEYS = (
    "@context", "id", "@id", "type", "@type", "profile", "protocol", "width", "height", "sizes",
    "maxWidth", "maxHeight", "maxArea", "extraFeatures",
)  # fmt: skip
UNKNOWN_PART = "unknown"  # the region of a part whose selector is not understood
_REGION = r"full|square|(?:pct:)?\d+(?:\.\d+)?(?:,\d+(?:\.\d+)?){3}"
_ROTATION = r"!?\d+(?:\.\d+)?"
_REQUEST = re.compile(
    rf"/(?P<region>{_REGION})/(?P<size>[^/]+)/(?P<rotation>{_ROTATION})/[a-z]+\.[a-z0-9]+$"
)
_FRAGMENT = re.compile(r"(?:^|[#&])xywh=(?:(pixel|percent|pct):)?([\d.]+(?:,[\d.]+){3})")

_KINDS = {
    "video": "video", "movingimage": "video", "sound": "sound", "audio": "sound", "text": "text",
    "textualbody": "text", "contentastext": "text",
    "document": "text", "model": "model", "physicalobject": "model", "dataset": "data",
}  # fmt: skip
_ENDINGS = {
    "video": "mp4 m4v mov webm avi mkv mpd m3u8 ogv", "sound": "mp3 wav flac m4a aac oga ogg aiff",
    "PDF": "pdf", "text": "txt htm html xhtml xml md vtt srt epub", "data": "json csv zip",
    "model": "glb gltf obj stl ply usdz",
}  # fmt: skip
_KIND_OF_ENDING = {end: kind for kind, ends in _ENDINGS.items() for end in ends.split()}


@dataclass(frozen=True)
class Canvas:
    """One picture of a manifest: its image service if it has one, else a plain address.

    `width` and `height` are those of the whole image, in pixels. `region` and `rotation` describe a part
    of the image as addresses of the Image API do, and `url`, if there is one, leads to that part.
    The picture of a canvas with `references` is in annotations of other documents. `further` counts the
    other pictures that are painted onto the canvas, such as foldouts.
    """

    label: str | None
    url: str | None
    service: dict[str, Any] | None
    width: int | None
    height: int | None
    region: str = "full"
    rotation: str = "0"
    references: list[str] = field(default_factory=list)
    further: int = 0


@dataclass(frozen=True)
class _Resource:
    """The target of a body: `value` is an object or an address. `part_url` is an address of the part
    that `region` and `rotation` cut out."""

    value: Any
    region: str = "full"
    rotation: str = "0"
    part_url: str | None = None


def canvas_of(canvas: Mapping[str, Any], annotations: list[Any]) -> Canvas | str:
    """The picture that annotations paint onto a canvas, or a word for what they paint instead. Among
    several pictures it is the first that covers the whole canvas, else the first."""
    label = words(canvas.get("label"))
    references: list[str] = []
    instead = ""
    first: Canvas | None = None
    further = 0
    is_detail = False
    for annotation in annotations:
        if not isinstance(annotation, Mapping) or not ({"body", "resource"} & annotation.keys()):
            if (address := address_of(annotation)) is not None:
                references.append(address)
            continue
        if not _paints(annotation):
            continue
        for resource in _resources(annotation.get("body") or annotation.get("resource")):
            kind = _kind(resource.value)
            picture = _picture(label, resource) if kind == "image" else None
            if picture is not None:
                further += first is not None
                if first is None or is_detail:
                    covers_part = _covers_part(annotation, canvas)
                    if first is None or not covers_part:
                        first, is_detail = picture, covers_part
                break
            instead = instead or ("picture without an address" if kind == "image" else kind)
    if first is not None:
        return replace(first, further=further)
    if references:
        return Canvas(label, None, None, None, None, references=references[:REFERENCES])
    return instead or "nothing painted"


def _paints(annotation: Mapping[str, Any]) -> bool:
    """Whether an annotation paints onto its canvas, as it does if it states no motivation."""
    motivations = [word for word in as_list(annotation.get("motivation")) if isinstance(word, str)]
    return not motivations or any("painting" in word.lower() for word in motivations)


def _covers_part(annotation: Mapping[str, Any], canvas: Mapping[str, Any]) -> bool:
    """Whether an annotation paints onto a part of its canvas, as a foldout or a detail does."""
    target = annotation.get("target") or annotation.get("on")
    selector = target.get("selector") if isinstance(target, Mapping) else None
    region, _ = _read_selector(selector)
    if isinstance(target, str):
        region = _fragment(urldefrag(target).fragment) or "full"
    whole = f"0,0,{number_of(canvas.get('width'))},{number_of(canvas.get('height'))}"
    return region not in ("full", whole, "pct:0,0,100,100")


def _resources(
    body: Any, region: str = "full", rotation: str = "0", url: str | None = None, depth: int = 0
) -> Iterator[_Resource]:
    """The targets of a body, in order. Lists and choices are opened; a part becomes the whole image with
    a region."""
    if depth > NESTING:
        return
    if isinstance(body, list):
        for member in body:
            yield from _resources(member, region, rotation, url, depth + 1)
    elif isinstance(body, Mapping) and kind_of(body) == "choice":
        for key in ("default", "items", "item"):
            yield from _resources(body.get(key), region, rotation, url, depth + 1)
    elif isinstance(body, Mapping) and ("source" in body or "full" in body):
        whole = body.get("source") or body.get("full")
        service = body.get("service")
        if isinstance(whole, str):
            whole = {"id": whole, **({"service": service} if service else {})}
        elif service and isinstance(whole, Mapping) and not whole.get("service"):
            whole = {**whole, "service": service}
        cut, turned = _read_selector(body.get("selector"))
        own = address_of(body)
        yield from _resources(
            whole,
            cut if cut != "full" else region,
            turned if turned != "0" else rotation,
            own if own is not None and _REQUEST.search(own) else url,
            depth + 1,
        )
    elif isinstance(body, Mapping | str):
        yield _Resource(body, region, rotation, url)


def _read_selector(selector: Any) -> tuple[str, str]:
    """The region and rotation that a selector asks for."""
    region, rotation = "full", "0"
    for choice in as_list(selector):
        if not isinstance(choice, Mapping):
            continue
        if (kind := kind_of(choice)) and not kind.startswith(("imageapi", "fragment")):
            return UNKNOWN_PART, rotation
        if isinstance(value := choice.get("value"), str):
            region = _fragment(value) or UNKNOWN_PART
        if (value := choice.get("region")) is not None:
            known = isinstance(value, str) and re.fullmatch(_REGION, value.strip())
            region = value.strip() if known else UNKNOWN_PART
        turned = str(choice.get("rotation") or "0")
        rotation = turned if re.fullmatch(_ROTATION, turned) else rotation
    return region, rotation


def _fragment(value: str) -> str | None:
    """The region of a media fragment such as "xywh=0,0,500,500"."""
    match = _FRAGMENT.search(value)
    if match is None:
        return None
    region = match.group(2) if match.group(1) in (None, "pixel") else f"pct:{match.group(2)}"
    return region if re.fullmatch(_REGION, region) else None


def _kind(value: Any) -> str:
    """ "image", or a word for the other kind of a resource."""
    kind = kind_of(value)
    by_type = _KINDS.get(kind, "image" if "image" in kind else None)
    media = value.get("format") if isinstance(value, Mapping) else None
    by_format = _kind_of_format(media.strip().lower()) if isinstance(media, str) else None
    service = _service(value)
    if by_type == "image" and service is not None:
        return "image"
    for said in (by_format if by_format == "PDF" else None, by_type, by_format):
        if said not in (None, "image"):
            return said
    if "image" in (by_format, by_type) or service is not None:
        return "image"
    if kind:
        return "another kind"
    address = urldefrag(address_of(value) or "").url.partition("?")[0]
    return _KIND_OF_ENDING.get(address.rpartition(".")[2].lower(), "image")


def _kind_of_format(media: str) -> str | None:
    """The kind of a media type. None for one that leaves it open, such as application/octet-stream."""
    main, _, sub = media.partition(";")[0].partition("/")
    if "pdf" in sub:
        return "PDF"
    if "json" in sub or "zip" in sub:
        return "data"
    names = {"image": "image", "video": "video", "audio": "sound", "text": "text", "model": "model"}
    return names.get(main) or ("text" if "xml" in sub or "html" in sub or "epub" in sub else None)


def _service(value: Any) -> dict[str, Any] | None:
    """The first image service of a resource, as its manifest describes it."""
    services = mappings(value.get("service")) if isinstance(value, Mapping) else []
    for service in services:
        if _is_image_service(service):
            return {key: service[key] for key in SERVICE_KEYS if key in service}
    return None


def _is_image_service(service: Mapping[str, Any]) -> bool:
    said = claims_of(service).lower()
    return "image" in said or bool(re.search(r"\blevel[012]\b", said))


def claims_of(service: Mapping[str, Any]) -> str:
    """The words by which an image service names its version and its level."""
    said = [
        part.get("@id") or part.get("id") if isinstance(part, Mapping) else part
        for key in ("@context", "type", "@type", "profile", "protocol")
        for part in as_list(service.get(key))
    ]
    return " ".join(part for part in said if isinstance(part, str))


def _picture(label: str | None, resource: _Resource) -> Canvas | None:
    """A resource that is an image. None if it has neither an address nor an image service."""
    value = resource.value
    service = _service(value)
    url = address_of(value)
    region, rotation = resource.region, resource.rotation
    if region == "full" and url is not None:
        region = _fragment(urldefrag(url).fragment) or "full"
    part = (region, rotation) != ("full", "0")
    request = _own_request(url, service)
    if part:
        url = resource.part_url
    elif request is not None:
        region, rotation = request["region"], request["rotation"]
    if url is None and service is None and not part:
        return None
    sized = request is not None and (
        request["size"] not in ("full", "max") or request["region"] != "full"
    )
    measured: Mapping[str, Any] = value if isinstance(value, Mapping) and not sized else {}
    return Canvas(
        label=label,
        url=url,
        service=service,
        width=number_of(measured.get("width")),
        height=number_of(measured.get("height")),
        region=region,
        rotation=rotation,
    )


def _own_request(url: str | None, service: Mapping[str, Any] | None) -> re.Match[str] | None:
    """A resource's address as a request to the resource's image service. None if it is no such request."""
    base = address_of(service)
    if url is None or base is None:
        return None
    match = _REQUEST.search(url.partition("?")[0])
    ends = [unquote(address.partition("://")[2]) for address in (url, service_base(base))]
    return match if ends[0].startswith(ends[1] + "/") else None


def service_base(address: str) -> str:
    """The address with which an image service's requests start, for any form of the service's id."""
    bare = urldefrag(address).url.rstrip("/")
    return bare.removesuffix("/info.json").rstrip("/")

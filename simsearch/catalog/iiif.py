"""IIIF documents: what a manifest or collection of Presentation API 2.1.1 or 3.0 says (iiif.io/api).

Documents are untrusted: what has not the expected form is passed over.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from simsearch.catalog.paths import text

_TAGS = re.compile(r"<[^>]*>")

# Labels that museums give their metadata, in English and the languages IIIF is most used in.
_LABELS = {
    "artists": "artist artists creator creators maker author by künstler künstlerin urheber auteur artiste autor",
    "date": "date dated created creation year datierung datum entstehungszeit année anno fecha",
    "medium": "medium materials material technique technik materiaux",
    "dimensions": "dimensions size extent measurements maße abmessungen",
    "department": "department collection abteilung",
    "classification": "classification type object-type genre objektart",
    "credit": "credit credit-line creditline",
}
_COLUMN_OF = {label: column for column, labels in _LABELS.items() for label in labels.split()}


@dataclass(frozen=True)
class Canvas:
    """One picture of a manifest: its image service if it has one, else a plain address."""

    label: str | None
    url: str | None
    service: dict[str, Any] | None
    width: int | None
    height: int | None


@dataclass(frozen=True)
class Document:
    """A manifest (`canvases`) or a collection (`links` to others, in order)."""

    kind: str  # "manifest" or "collection"
    title: str | None = None
    metadata: dict[str, list[str]] = field(default_factory=dict)  # catalog column → values
    rights: str | None = None
    attribution: str | None = None
    homepage: str | None = None
    canvases: list[Canvas] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    collections: list[str] = field(default_factory=list)  # those of `links` that are collections

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Document:
        return cls(**{**values, "canvases": [Canvas(**canvas) for canvas in values["canvases"]]})


def parse(value: Any) -> Document | None:
    """What a document says, or None for JSON that is no IIIF manifest or collection."""
    if not isinstance(value, Mapping):
        return None
    kind = str(value.get("type") or value.get("@type") or "").rpartition(":")[2].lower()
    if kind in ("collection", "collectionpage"):
        links = dict(_links(value))
        return Document(
            "collection",
            title=_words(value.get("label")),
            links=list(links),
            collections=[address for address, is_collection in links.items() if is_collection],
        )
    if kind != "manifest":
        return None
    return Document(
        "manifest",
        title=_words(value.get("label")),
        metadata=_metadata(value.get("metadata")),
        rights=_rights(value),
        attribution=_attribution(value),
        homepage=address_of(value.get("homepage") or value.get("related")),
        canvases=list(_canvases(value)),
    )


def _links(value: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """The addresses of a collection's members in their order, then of its further pages, each with
    whether it is a collection itself."""
    for key in ("items", "members", "collections", "manifests"):
        for member in listed(value.get(key)):
            if (address := address_of(member)) is not None:
                kind = (
                    str(member.get("type") or member.get("@type") or "")
                    if isinstance(member, Mapping)
                    else ""
                )
                yield address, key == "collections" or "collection" in kind.lower()
    for key in ("first", "next"):
        if (address := address_of(value.get(key))) is not None:
            yield address, True


def _canvases(value: Mapping[str, Any]) -> Iterator[Canvas]:
    for sequence in listed(value.get("sequences"))[:1]:
        for canvas in listed(sequence.get("canvases") if isinstance(sequence, Mapping) else None):
            if isinstance(canvas, Mapping):
                bodies = [
                    image.get("resource")
                    for image in listed(canvas.get("images"))
                    if isinstance(image, Mapping)
                ]
                yield from _pictures(canvas, bodies)
    for canvas in listed(value.get("items")):
        if isinstance(canvas, Mapping):
            bodies = [
                annotation.get("body")
                for page in listed(canvas.get("items"))
                if isinstance(page, Mapping)
                for annotation in listed(page.get("items"))
                if isinstance(annotation, Mapping)
            ]
            yield from _pictures(canvas, bodies)


def _pictures(canvas: Mapping[str, Any], bodies: list[Any]) -> Iterator[Canvas]:
    """The first image of a canvas; of a choice the one that is shown by default."""
    for body in bodies:
        chosen: Any = body[0] if isinstance(body, list) and body else body
        if isinstance(chosen, Mapping) and (chosen.get("default") or chosen.get("items")):
            chosen = chosen.get("default") or listed(chosen.get("items"))[0]
        if not isinstance(chosen, Mapping):
            continue
        services = [
            service for service in listed(chosen.get("service")) if isinstance(service, Mapping)
        ]
        images = [service for service in services if _is_image_service(service)]
        url = address_of(chosen)
        if url is None and not images:
            continue
        yield Canvas(
            label=_words(canvas.get("label")),
            url=url,
            service=dict(images[0]) if images else None,
            width=number_of(chosen.get("width")) or number_of(canvas.get("width")),
            height=number_of(chosen.get("height")) or number_of(canvas.get("height")),
        )
        return


def _is_image_service(service: Mapping[str, Any]) -> bool:
    words = " ".join(
        str(service.get(key) or "") for key in ("@context", "type", "@type", "profile")
    )
    return "image" in words.lower()


def _metadata(value: Any) -> dict[str, list[str]]:
    columns: dict[str, list[str]] = {}
    for entry in listed(value):
        if not isinstance(entry, Mapping):
            continue
        label = (_words(entry.get("label")) or "").strip(" :").casefold().replace(" ", "-")
        column = _COLUMN_OF.get(label)
        if column is not None and column not in columns:
            columns[column] = _all_words(entry.get("value"))
    return columns


def _rights(value: Mapping[str, Any]) -> str | None:
    rights = value.get("rights") or value.get("license")
    return text(
        [
            part
            for statement in listed(rights)
            if (part := address_of(statement) or _words(statement))
        ]
    )


def _attribution(value: Mapping[str, Any]) -> str | None:
    statement = value.get("requiredStatement")
    if isinstance(statement, Mapping):
        return _words(statement.get("value"))
    return _words(value.get("attribution"))


def _words(value: Any) -> str | None:
    return text("; ".join(_all_words(value)))


def _all_words(value: Any) -> list[str]:
    """The texts of a value in English, in no language, or in the first there is; HTML as plain text."""
    if isinstance(value, str | int | float):
        plain = html.unescape(_TAGS.sub("", str(value)))
        return [" ".join(plain.split())] if plain.strip() else []
    if isinstance(value, list):
        english = [
            part for part in value if isinstance(part, Mapping) and part.get("@language") == "en"
        ]
        return [word for part in english or value for word in _all_words(part)]
    if not isinstance(value, Mapping):
        return []
    if "@value" in value:
        return _all_words(value["@value"])
    language = next((key for key in ("en", "none", "@none") if key in value), None)
    return _all_words(value[language] if language else next(iter(value.values()), None))


def address_of(value: Any) -> str | None:
    """A web address given as such, as an object's id, or first in a list."""
    first = value[0] if isinstance(value, list) and value else value
    if isinstance(first, Mapping):
        first = first.get("id") or first.get("@id")
    if isinstance(first, str) and first.lower().startswith(("http://", "https://")):
        return first
    return None


def number_of(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and value > 0 else None


def listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]

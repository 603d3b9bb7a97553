"""IIIF documents: the content of manifests and collections of Presentation API 2.1.1 and 3.0 (iiif.io/api).

Documents are untrusted: parts without the expected form are ignored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from simsearch.catalog.iiif_pictures import Canvas, canvas_of
from simsearch.catalog.iiif_values import address_of, all_words, as_list, kind_of, mappings, words
from simsearch.catalog.paths import text

# Labels of museums' metadata, in English and the other languages that IIIF documents use most.
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

_PAGES = ("annotationpage", "annotationlist", "annotation")
_MEMBERS = ("items", "members", "collections", "manifests")
_INSTEAD = (
    "displayifcontentunsupported"  # a sequence of pictures that excuse a viewer without sound
)


@dataclass(frozen=True)
class Document:
    """A manifest (`canvases`), a collection (`links` to others, in order), or a page of annotations
    (a canvas at most, without a label).

    `imageless` has a word for each canvas without a picture: the kind of thing that it has instead.
    """

    kind: str  # "manifest", "collection" or "page"
    title: str | None = None
    metadata: dict[str, list[str]] = field(default_factory=dict)  # catalog column → values
    rights: str | None = None
    attribution: str | None = None
    homepage: str | None = None
    canvases: list[Canvas] = field(default_factory=list)
    imageless: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    collections: list[str] = field(default_factory=list)  # those of `links` that are collections
    unaddressed: int = 0  # members of a collection that have no web address

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Document:
        return cls(**{**values, "canvases": [Canvas(**canvas) for canvas in values["canvases"]]})


def parse(value: Any) -> Document | None:
    """The document in a JSON value. None if the value is no IIIF manifest, collection or page of
    annotations."""
    if not isinstance(value, Mapping):
        return None
    kind = kind_of(value) or _guess_kind(value)
    if kind in ("collection", "collectionpage"):
        members = list(_links(value))
        links = {address: is_collection for address, is_collection in members if address}
        return Document(
            "collection",
            title=words(value.get("label")),
            links=list(links),
            collections=[address for address, is_collection in links.items() if is_collection],
            unaddressed=sum(address is None for address, _ in members),
        )
    if kind in _PAGES:
        shown = canvas_of({}, _annotations(value, kind))
        return Document(
            "page",
            canvases=[shown] if isinstance(shown, Canvas) else [],
            imageless=[] if isinstance(shown, Canvas) else [shown],
        )
    if kind != "manifest":
        return None
    shown_in_order = list(_canvases(value))
    return Document(
        "manifest",
        title=words(value.get("label")),
        metadata=_metadata(value.get("metadata")),
        rights=_rights(value),
        attribution=_attribution(value),
        homepage=_homepage(value),
        canvases=[shown for shown in shown_in_order if isinstance(shown, Canvas)],
        imageless=[shown for shown in shown_in_order if not isinstance(shown, Canvas)],
    )


def _guess_kind(value: Mapping[str, Any]) -> str:
    """The kind of a document without a type, by its members."""
    kinds = {kind_of(member) for member in as_list(value.get("items"))}
    if "sequences" in value or "canvas" in kinds:
        return "manifest"
    if {"manifest", "collection"} & kinds or {"members", "collections", "manifests"} & value.keys():
        return "collection"
    untyped = mappings(value.get("items"))
    return "manifest" if any({"items", "height"} & member.keys() for member in untyped) else ""


def _links(value: Mapping[str, Any]) -> Iterator[tuple[str | None, bool]]:
    """The addresses of a collection's members in order (None: a member without an address), then of its
    further pages, each with whether it is a collection. A nested collection or page is replaced by its
    members."""
    for key in _MEMBERS:
        for member in as_list(value.get(key)):
            is_collection = key == "collections" or "collection" in kind_of(member)
            if is_collection and isinstance(member, Mapping) and _has_members(member):
                yield from _links(member)
            else:
                yield address_of(member), is_collection
    for key in ("first", "next"):
        page = value.get(key)
        if isinstance(page, Mapping) and (_has_members(page) or page.get("next")):
            yield from _links(page)
        elif (address := address_of(page)) is not None:
            yield address, True


def _has_members(value: Mapping[str, Any]) -> bool:
    return any(as_list(value.get(key)) for key in (*_MEMBERS, "first"))


def _canvases(value: Mapping[str, Any]) -> Iterator[Canvas | str]:
    """The picture of each canvas, or a word for what the canvas has instead. Presentation 2 has canvases
    in its first sequence, Presentation 3 in the manifest."""
    for media in mappings(value.get("mediaSequences")):
        for element in mappings(media.get("elements")):
            yield canvas_of(element, [{"body": element}])
    sequences = mappings(value.get("sequences"))[:1]
    first = sequences[0].get("canvases") if sequences else None
    if sequences and str(sequences[0].get("compatibilityHint")).lower() == _INSTEAD:
        return
    if canvases := mappings(first):
        for canvas in canvases:
            yield canvas_of(canvas, as_list(canvas.get("images")))
        return
    for canvas in mappings(value.get("items")):
        annotations = [
            annotation
            for page in as_list(canvas.get("items"))
            for annotation in _annotations(page, "annotationpage")
        ]
        yield canvas_of(canvas, annotations)


def _annotations(page: Any, kind: str) -> list[Any]:
    """The annotations of a page. If the page is only an address, that address."""
    if kind == "annotation":
        return [page]
    key = "resources" if kind == "annotationlist" else "items"
    if not isinstance(page, Mapping) or (key not in page and "next" not in page):
        return [address] if (address := address_of(page)) is not None else []
    following = address_of(page.get("next"))
    return [*as_list(page.get(key)), *([following] if following else [])]


def _metadata(value: Any) -> dict[str, list[str]]:
    """The values by catalog column: all values of the first label that means the column."""
    columns: dict[str, list[str]] = {}
    label_of: dict[str, str] = {}
    for entry in mappings(value):
        label = (words(entry.get("label")) or "").strip(" :").casefold().replace(" ", "-")
        column = _COLUMN_OF.get(label)
        if column is None or label_of.get(column, label) != label:
            continue
        if said := all_words(entry.get("value")):
            label_of[column] = label
            columns[column] = list(dict.fromkeys([*columns.get(column, []), *said]))
    return columns


def _rights(value: Mapping[str, Any]) -> str | None:
    statements = as_list(value.get("rights") or value.get("license"))
    return text([part for entry in statements if (part := address_of(entry) or words(entry))])


def _homepage(value: Mapping[str, Any]) -> str | None:
    pages = as_list(value.get("homepage")) + as_list(value.get("related"))
    return next((address for page in pages if (address := address_of(page))), None)


def _attribution(value: Mapping[str, Any]) -> str | None:
    statement = value.get("requiredStatement")
    if isinstance(statement, Mapping):
        return words(statement.get("value"))
    return words(value.get("attribution"))

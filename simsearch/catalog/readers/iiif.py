"""A IIIF manifest or collection, on the web or in a store: an artwork per manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from simsearch.catalog.iiif import Document
from simsearch.catalog.iiif_library import IIIFLibrary
from simsearch.catalog.iiif_names import ManifestNames
from simsearch.catalog.iiif_pictures import Canvas
from simsearch.catalog.image_api import image_address, info_address
from simsearch.catalog.image_names import is_web
from simsearch.catalog.notes import Notes
from simsearch.catalog.sampling import seeded_sample
from simsearch.catalog.web.errors import FAILURES, RefusedError, reason_of
from simsearch.catalog.web.turns import call_in_parallel
from simsearch.errors import CatalogError
from simsearch.runtime.progress import Advance, progress
from simsearch.settings.config import Config

MAX_DOCUMENTS = 2_000_000
MAX_REFERENCES = 8  # pages of annotations fetched for a canvas

Row = dict[str, Any]
Content = TypeVar("Content")


def read_iiif(config: Config, notes: Notes, sample: int | None = None) -> Iterator[Row]:
    """The artworks of every manifest below `catalog.source`, or of a seeded `sample` of manifests, with
    rights and attribution.

    Documents are stored as they arrive. An interrupted run therefore goes on, and a later run only asks
    whether documents changed; if a server does not answer, the stored document counts. Raises
    CatalogError if the source is no IIIF document.
    """
    with ExitStack() as stack:
        library = IIIFLibrary.open(config, stack)
        source = config.catalog.source or ""
        root = _root(library, source)
        names = ManifestNames()
        if root.kind == "manifest":
            names.add([source])
            own_notes = Notes()
            rows = _read_root_manifest(library, source, root, own_notes)
            notes.add(own_notes)
            yield from _name_rows(rows, source, names, notes)
        walk = _Walk(library, source, notes)
        manifests = walk.manifests(source, root) if root.kind == "collection" else []
        while manifests:
            names.add(manifests)
            if sample is not None:
                manifests = seeded_sample(manifests, sample, config.seed)
            advance = stack.enter_context(progress("iiif", len(manifests), "manifests", 10))
            later: dict[str, Document] = {}
            for url, rows in _read_manifests(library, manifests, notes, advance, later):
                yield from _name_rows(rows, url, names, notes)
            # Members without a type that turned out to be collections.
            manifests = [
                link for url, inner in later.items() for link in walk.manifests(url, inner)
            ]
    library.report(notes)


def _root(library: IIIFLibrary, source: str) -> Document:
    try:
        root = library.document(source, fresh=True) if is_web(source) else library.stored(source)
        if root.kind == "page":
            raise RefusedError("the response is no IIIF manifest or collection", lasting=True)
    except FAILURES as error:
        raise CatalogError(f"{source}: {reason_of(error)}; check catalog.source") from None
    return root


@dataclass
class _Walk:
    """Reads collections and their pages, each once."""

    library: IIIFLibrary
    source: str
    notes: Notes
    seen: set[str] = field(default_factory=set)

    def manifests(self, url: str, root: Document) -> list[str]:
        """The addresses of all manifests below a collection, in order, without repetitions."""
        self.seen.add(self.source)
        links: list[str] = []
        waiting = [(url, root)]
        pages = 1
        while waiting:
            place, document = waiting.pop(0)
            if len(self.seen) >= MAX_DOCUMENTS:
                reason = f"collections and pages beyond the first {MAX_DOCUMENTS:,} addresses"
                self.notes.leave_out(reason, self.source, 1 + len(waiting))
                break
            inside: list[tuple[str, Document]] = []
            if not document.links and not document.unaddressed:
                self.notes.leave_out("collections without a member", place)
            if document.unaddressed:
                reason = "members of collections without a web address"
                self.notes.leave_out(reason, self.source, document.unaddressed)
            for link in document.links:
                if link in self.seen:
                    continue
                self.seen.add(link)
                inner = self._collection(link) if link in document.collections else None
                if inner is not None and inner.kind == "collection":
                    pages += 1
                    inside.append((link, inner))
                elif inner is not None or link not in document.collections:
                    links.append(link)
            waiting[:0] = inside
        self.notes.say(
            f"{self.source}: {len(links):,} manifests in {pages:,} collections and pages"
        )
        return links

    def _collection(self, url: str) -> Document | None:
        """A collection or page. None, with a note, if it does not exist. Raises CatalogError if the
        request may succeed on another day."""
        try:
            return self.library.document(url, fresh=True)
        except FAILURES as error:
            if getattr(error, "lasting", False):
                self.notes.miss("collections that could not be read", url, reason_of(error))
                return None
            raise CatalogError(
                f"{url}: {reason_of(error)}; part of {self.source}, without it artworks would be lost: run the same command again"
            ) from None


def _read_manifests(
    library: IIIFLibrary,
    manifests: list[str],
    notes: Notes,
    advance: Advance,
    later: dict[str, Document],
) -> Iterator[tuple[str, list[Row]]]:
    """Each manifest with its artworks, in the order of `manifests`. Manifests that turn out to be
    collections go into `later`."""
    order = {url: number for number, url in enumerate(manifests)}

    def read(row: Row) -> tuple[int, str, list[Row], Notes, Document | None]:
        url, own_notes = row["image_uri"], Notes()
        artworks: list[Row] = []
        collection = None
        try:
            document = library.document(url)
            if document.kind == "page":
                raise RefusedError("the response is no IIIF manifest or collection", lasting=True)
            if document.kind == "collection":
                collection = document
            else:
                artworks = list(_artworks(library, url, document, own_notes))
        except FAILURES as error:
            own_notes.miss("manifests that could not be read", url, reason_of(error))
        return order[url], url, artworks, own_notes, collection

    rows = [{"image_uri": url} for url in manifests]
    results = []
    threads = library.config.catalog.download.concurrency
    for done, result in enumerate(call_in_parallel(read, rows, threads), start=1):
        advance(done)
        results.append(result)
    for _, url, artworks, own_notes, collection in sorted(results, key=lambda result: result[0]):
        notes.add(own_notes)
        if collection is not None:
            later[url] = collection
        yield url, artworks


def _read_root_manifest(
    library: IIIFLibrary, source: str, root: Document, notes: Notes
) -> list[Row]:
    """The artworks of a source that is a manifest. Raises CatalogError."""
    try:
        return list(_artworks(library, source, root, notes))
    except FAILURES as error:
        raise CatalogError(f"{source}: {reason_of(error)}; run the same command again") from None


def _name_rows(rows: list[Row], url: str, names: ManifestNames, notes: Notes) -> Iterator[Row]:
    """A manifest's rows with their ids. Rows whose id another artwork has are left out and counted."""
    for row in rows:
        artwork_id = names.artwork_id(url, row.pop("number"))
        if artwork_id is None:
            notes.leave_out("artworks with the id of another one", url)
        else:
            yield {"artwork_id": artwork_id, **row}


def _artworks(library: IIIFLibrary, url: str, document: Document, notes: Notes) -> Iterator[Row]:
    """A manifest's artworks without their ids. `number` is an artwork's place among several.

    A canvas that cannot be read is left out. Raises RefusedError if no canvas is left.
    """
    first_only = library.config.catalog.canvases == "first"
    several = len(document.canvases) > 1 and not first_only
    imageless = list(document.imageless)
    failed: list[RefusedError] = []
    shown = 0
    for number, canvas in enumerate(document.canvases, start=1):
        if first_only and shown:
            notes.leave_out("manifests' further images (catalog.canvases=all takes them)", url)
            break
        try:
            resolved = _resolve(library, canvas)
            address = None if isinstance(resolved, str) else _image(library, resolved)
        except RefusedError as error:
            if first_only and not error.lasting:
                raise  # this picture, which is the artwork, may be there on another day
            failed.append(error)
            continue
        if isinstance(resolved, str):
            imageless.append(resolved)
            continue
        shown += 1
        if resolved.further:
            reason = "further pictures on canvases of which the first one is taken"
            notes.leave_out(reason, url, resolved.further)
        if address is None:
            notes.leave_out("canvases with a part of an image that their server does not cut", url)
            continue
        yield {
            "number": number if several else None,
            **_describe(url, document),
            "title": _title(document, canvas, several),
            "image_uri": address,
        }
    if failed and not shown:
        raise failed[0]
    for failure in failed:
        notes.miss("canvases that could not be read", url, reason_of(failure))
    if shown and not first_only:
        for instead in imageless:
            notes.leave_out(f"canvases without an image ({instead})", url)
    elif not shown:
        instead = ", ".join(dict.fromkeys(imageless)) or "no canvas"
        notes.leave_out(f"manifests without an image ({instead})", url)


def _resolve(library: IIIFLibrary, canvas: Canvas) -> Canvas | str:
    """A canvas with its picture, or a word for what it has instead. Annotations in other documents are
    fetched until one has a picture."""
    instead = "nothing painted"
    waiting, seen = list(canvas.references), set(canvas.references)
    if not waiting:
        return canvas
    for _ in range(MAX_REFERENCES):
        if not waiting:
            break
        page = _ask(library.document, waiting.pop(0))
        instead = next(iter(page.imageless), instead)
        for shown in page.canvases:
            if not shown.references:
                return replace(shown, label=canvas.label)
            waiting += [url for url in shown.references if url not in seen]
            seen.update(shown.references)
    return instead


def _describe(url: str, document: Document) -> Row:
    joined = {
        column: "; ".join(values)
        for column, values in document.metadata.items()
        if column != "artists"
    }
    return {
        "artists": document.metadata.get("artists", []),
        **joined,
        "rights": document.rights,
        "attribution": document.attribution,
        "url": document.homepage or url,
        "etag": None,
        "where": url,
    }


def _image(library: IIIFLibrary, canvas: Canvas) -> str | None:
    address = info_address(canvas)
    # Without info.json the manifest's words have to do.
    info = _ask(library.info, address) if address is not None else None
    return image_address(canvas, info, library.config.catalog.iiif_pixels)


def _ask(ask: Callable[[str], Content], address: str) -> Content:
    """The content at an address that a manifest names. Raises RefusedError, which names the address."""
    try:
        return ask(address)
    except FAILURES as error:
        lasting = getattr(error, "lasting", False)
        raise RefusedError(f"{address}: {reason_of(error)}", lasting=lasting) from None


def _title(document: Document, canvas: Canvas, several: bool) -> str | None:
    if several and canvas.label and canvas.label != document.title:
        return f"{document.title}, {canvas.label}" if document.title else canvas.label
    return document.title

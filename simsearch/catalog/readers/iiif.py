"""A IIIF manifest or collection, on the web or in a store: an artwork per manifest."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import urldefrag

import httpx

from simsearch import schemas
from simsearch.catalog.download import DAY, in_parallel
from simsearch.catalog.iiif import Canvas, Document, parse
from simsearch.catalog.image_api import image_address, needs_info
from simsearch.catalog.journal import Journal, read_newest
from simsearch.catalog.notes import Notes
from simsearch.catalog.places import is_web
from simsearch.catalog.sampling import seeded_sample
from simsearch.catalog.web import BusyError, RefusedError, WebClient
from simsearch.config import Config
from simsearch.errors import CatalogError
from simsearch.runtime.progress import Advance, progress
from simsearch.storage.storage import Storage, read_uri

STATE = (
    "iiif"  # beside the catalogs, not among them: `snapshots gc` removes those that nothing names
)
MAX_BYTES = 64 * 2**20  # a manifest of a book of a thousand pages has about 2 MiB
MAX_DOCUMENTS = 2_000_000


def read_iiif(config: Config, notes: Notes, sample: int | None = None) -> Iterator[dict[str, Any]]:
    """Every manifest (or a seeded `sample` of them) below `catalog.source` that has an image, its rights and attribution kept.

    Documents are kept as they come in: an interrupted run goes on, a later one asks only whether they
    changed. Raises CatalogError where the source is no IIIF document.
    """
    storage = Storage(config.root, config.storage)
    with ExitStack() as stack:
        library = _Library(
            config,
            client=stack.enter_context(WebClient(config.catalog.download)),
            journal=stack.enter_context(Journal(storage, STATE, schemas.WEB_DOCUMENTS)),
            known={
                row["url"]: row
                for row in read_newest(storage, STATE, schemas.WEB_DOCUMENTS, key="url")
            },
        )
        source = config.catalog.source or ""
        manifests, root = _walk(library, source, notes)
        if sample is not None:
            manifests = seeded_sample(manifests, sample, config.seed)
        if root is not None:
            yield from _artworks(library, source, root, notes)
        advance = stack.enter_context(progress("iiif", len(manifests), "manifests", 10))
        yield from _read_manifests(library, manifests, notes, advance)
    if library.kept:
        notes.say(
            f"{library.kept:,} IIIF documents were read in the last {config.catalog.download.check_again_days:g} days and not asked for again"
        )


@dataclass
class _Library:
    """Documents by address, from the store where they are young enough, else from the web."""

    config: Config
    client: WebClient
    journal: Journal
    known: Mapping[str, dict[str, Any]]
    kept: int = 0

    def fetch(self, url: str, *, fresh: bool = False) -> dict[str, Any]:
        """A document's content as JSON; `fresh`: asked for whatever its age.

        Raises RefusedError, BusyError, httpx.HTTPError.
        """
        known = self.known.get(url)
        days = self.config.catalog.download.check_again_days
        if known is not None and not fresh and time.time() - known["checked"] < days * DAY:
            self.kept += 1
            content: dict[str, Any] = json.loads(known["content"])
            return content
        before = known or {}
        answer = self.client.get(
            url, MAX_BYTES, etag=before.get("etag"), last_modified=before.get("last_modified")
        )
        if answer.data is None:
            content = json.loads(before["content"])
        else:
            content = _content(answer.data, url)
        self.journal.note(
            {
                "url": url,
                "etag": answer.etag,
                "last_modified": answer.last_modified,
                "checked": time.time(),
                "content": json.dumps(content, ensure_ascii=False, sort_keys=True),
            }
        )
        return content


def _content(data: bytes, url: str) -> dict[str, Any]:
    """A Presentation document as far as it is used, or an info.json as it is."""
    try:
        value = json.loads(data.decode("utf-8-sig"))
    except ValueError:
        raise RefusedError("what came is no JSON", lasting=True) from None
    if url.endswith("/info.json") and isinstance(value, dict):
        return value
    document = parse(value)
    if document is None:
        raise RefusedError("what came is no IIIF manifest or collection", lasting=True)
    return document.to_json()


def _walk(library: _Library, source: str, notes: Notes) -> tuple[list[str], Document | None]:
    """The addresses of all manifests below the source, in order; or the source itself if it is one."""
    try:
        if is_web(source):
            root = Document.from_json(library.fetch(source, fresh=True))
        else:
            data = read_uri(source, library.config.storage)
            root = Document.from_json(_content(data, source))
    except (RefusedError, BusyError, httpx.HTTPError, httpx.InvalidURL) as error:
        raise CatalogError(f"{source}: {_reason(error)}; check catalog.source") from None
    if root.kind == "manifest":
        return [], root
    seen = {source}
    manifests: list[str] = []
    waiting = [root]
    pages = 1
    while waiting and len(seen) < MAX_DOCUMENTS:
        document = waiting.pop(0)
        for link in document.links:
            if link in seen:
                continue
            seen.add(link)
            if link not in document.collections:
                manifests.append(link)
                continue
            try:
                inner = Document.from_json(library.fetch(link, fresh=True))
            except (RefusedError, BusyError, httpx.HTTPError, httpx.InvalidURL) as error:
                raise CatalogError(
                    f"{link}: {_reason(error)}; part of {source}, without it artworks would be lost: run the same command again"
                ) from None
            if inner.kind == "collection":
                pages += 1
                waiting.insert(0, inner)
            else:
                manifests.append(link)
    notes.say(f"{source}: {len(manifests):,} manifests in {pages:,} collections and pages")
    return manifests, None


def _read_manifests(
    library: _Library, manifests: list[str], notes: Notes, advance: Advance
) -> Iterator[dict[str, Any]]:
    order = {url: number for number, url in enumerate(manifests)}
    failed: dict[str, str] = {}

    def read(row: dict[str, Any]) -> tuple[str, list[dict[str, Any]] | None, str]:
        url = row["image_uri"]
        own_notes = Notes()
        try:
            document = Document.from_json(library.fetch(url))
            return url, list(_artworks(library, url, document, own_notes)), _first(own_notes)
        except (RefusedError, BusyError, httpx.HTTPError, httpx.InvalidURL) as error:
            return url, None, _reason(error)

    rows = [{"image_uri": url} for url in manifests]
    read_manifests: list[tuple[int, list[dict[str, Any]]]] = []
    threads = library.config.catalog.download.concurrency
    for done, (url, artworks, problem) in enumerate(in_parallel(read, rows, threads), start=1):
        advance(done)
        if artworks is None:
            failed[url] = problem
        else:
            read_manifests.append((order[url], artworks))
            if problem:
                notes.leave_out(problem, url)
    for url, reason in sorted(failed.items(), key=lambda item: order[item[0]]):
        notes.leave_out("manifests that could not be read", f"{url}: {reason}")
    for _, artworks in sorted(read_manifests, key=lambda item: item[0]):
        yield from artworks


def _first(notes: Notes) -> str:
    return next(iter(notes.left_out), "")


def _artworks(
    library: _Library, url: str, document: Document, notes: Notes
) -> Iterator[dict[str, Any]]:
    if not document.canvases:
        notes.leave_out("manifests without an image", url)
        return
    first_only = library.config.catalog.canvases == "first"
    if first_only and len(document.canvases) > 1:
        notes.leave_out("manifests' further images (catalog.canvases=all takes them)", url)
    chosen = document.canvases[:1] if first_only else document.canvases
    for number, canvas in enumerate(chosen, start=1):
        address = _image(library, canvas)
        if address is None:
            notes.leave_out("canvases without an image", url)
            continue
        name = _name(url)
        several = len(chosen) > 1
        yield {
            "artwork_id": f"{name}/{number}" if several else name,
            "title": _title(document, canvas, several),
            "artists": document.metadata.get("artists", []),
            **{
                column: "; ".join(values)
                for column, values in document.metadata.items()
                if column != "artists"
            },
            "rights": document.rights,
            "attribution": document.attribution,
            "url": document.homepage or url,
            "image_uri": address,
            "etag": None,
            "where": url,
        }


def _image(library: _Library, canvas: Canvas) -> str | None:
    info = None
    if needs_info(canvas):
        service = canvas.service or {}
        base = str(service.get("@id") or service.get("id") or "").rstrip("/")
        try:
            info = library.fetch(f"{base}/info.json")
        except RefusedError as error:
            if not error.lasting:
                raise
            # A server without info.json: what the manifest says has to do.
    return image_address(canvas, info, library.config.catalog.iiif_pixels)


def _title(document: Document, canvas: Canvas, several: bool) -> str | None:
    if several and canvas.label and canvas.label != document.title:
        return f"{document.title}, {canvas.label}" if document.title else canvas.label
    return document.title


def _name(url: str) -> str:
    """`https://x.org/iiif/12/manifest.json` → `x.org/iiif/12`: as unique as the address."""
    bare = urldefrag(url).url.partition("://")[2].rstrip("/")
    for ending in ("/manifest.json", "/manifest", ".json"):
        if bare.endswith(ending):
            return bare.removesuffix(ending)
    return bare


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__

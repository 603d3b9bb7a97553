"""A static copy of the explorer: plain files for a bucket or any web server, as the study's page was.

It has everything that needs no server: no search by picture, and recovery only at the largest k. All files
lie in one folder, so that relative links hold wherever the folder goes.
"""

from __future__ import annotations

import hashlib
import json
import logging
from importlib.resources import files
from pathlib import Path
from typing import Any

from simsearch.errors import NotFoundError
from simsearch.explorer.aside import write_aside
from simsearch.explorer.export_findings import finding_file, finding_pages, finding_pictures
from simsearch.explorer.pages.addresses import Value, picture_path
from simsearch.explorer.pages.artwork import artwork_page
from simsearch.explorer.pages.map import map_page
from simsearch.explorer.pages.page import Page
from simsearch.explorer.pages.recovery import recovery_page
from simsearch.explorer.pages.runs import runs_page
from simsearch.explorer.pages.search import search_page
from simsearch.explorer.pages.site import Site
from simsearch.reading import downloads
from simsearch.reading.library import Library
from simsearch.reading.map_data import by_line
from simsearch.reading.search import Search, other_fields
from simsearch.reading.view import SnapshotView
from simsearch.runtime.progress import progress
from simsearch.settings.config import Config

log = logging.getLogger(__name__)


class StaticAddresses:
    """Addresses within the folder. Remembers the pictures that pages show."""

    live = False

    def __init__(self, view: SnapshotView) -> None:
        self._view = view
        self.pictures: set[tuple[int, int]] = set()

    def page(self, name: str, /, **query: Value) -> str:
        if "." in name:
            return name
        if name.startswith("findings/"):
            return finding_file(self._view, name, query)
        if name == "recovery" and (query.get("space") or query.get("profile")):
            space = str(query.get("space") or self._view.spaces[0])
            return recovery_file(self._view, space, str(query.get("profile") or ""))
        if not name:
            page = int(query.get("page") or 1)
            return "index.html" if page == 1 else f"artworks-{page}.html"
        return f"{name}.html"

    def artwork(self, artwork_id: str) -> str:
        return f"artwork-{hashlib.sha256(artwork_id.encode()).hexdigest()[:20]}.html"

    def picture(self, item: int, size: int) -> str:
        self.pictures.add((item, size))
        return picture_path(self._view, item, size)

    def fallback(self, item: int, size: int) -> str | None:  # noqa: ARG002
        return None

    def static(self, name: str) -> str:
        return f"static/{name}"


def recovery_file(view: SnapshotView, space: str, profile: str) -> str:
    """The name of the recovery page of a space and profile. It contains their numbers, not their names: file
    names contain no text from outside."""
    place = view.profiles.index(profile) + 1 if profile else 0
    return f"recovery-{view.spaces.index(space)}-{place}.html"


def export_site(config: Config, roots: list[str], folder: str) -> str:
    """Write the newest snapshot's pages into a new folder or in place of an earlier export. Returns a
    sentence about the written files. Raises the errors of `write_aside`."""
    site = Site(Library(config, roots[:1]))
    view = site.library.view()
    with write_aside("--export", folder, "pages", view.snapshot_id) as new:
        writer = _Writer(new, site, view)
        writer.write()
    return f"{writer.pages:,} pages and {len(writer.to.pictures):,} pictures of snapshot {view.snapshot_id}: {Path(folder) / 'index.html'}"


class _Writer:
    def __init__(self, target: Path, site: Site, view: SnapshotView) -> None:
        self.target, self.site, self.view = target, site, view
        self.to = StaticAddresses(view)
        self.pages = 0

    def write(self) -> None:
        for file in files("simsearch.explorer").joinpath("static").iterdir():
            _write(self.target / "static" / file.name, file.read_bytes())
        self._artworks()
        self._recovery()
        self._findings()
        self._page("runs.html", runs_page(self.site, self.view))
        for name in downloads.table_names(self.view):
            for kind in downloads.MEDIA_TYPES:
                data = downloads.table_bytes(self.view, name, kind)
                _write(self.target / "tables" / f"{name}.{kind}", data)
        self._map()
        self._pictures()

    def _artworks(self) -> None:
        page, count = 1, 1
        while page <= count:
            wall = search_page(self.site, self.view, Search(), page)
            self._page(self.to.page("", page=page), wall)
            page, count = page + 1, wall.paging.count
        listed = []
        with progress("export", len(self.view), "artworks", 10) as advance:
            for number in range(len(self.view)):
                artwork = self.view.artwork_at(number)
                name = self.to.artwork(artwork.artwork_id)
                shown = artwork_page(
                    self.site, self.view, artwork.artwork_id, [], with_copies=False
                )
                self._page(name, shown)
                listed.append(
                    {
                        "title": artwork.title,
                        "artists": artwork.artists,
                        "by": by_line(artwork),
                        "also": other_fields(artwork),
                        "page": name,
                        "picture": self.to.picture(artwork.item, 400),
                    }
                )
                advance(number + 1)
        _write(self.target / "artworks.json", _json(listed))

    def _recovery(self) -> None:
        for space in self.view.spaces:
            for profile in (None, *self.view.profiles):
                page = recovery_page(
                    self.site, self.view, self.to, k=None, metric=None, search="exact",
                    space=space, profile=profile, page=1,
                )  # fmt: skip
                name = recovery_file(self.view, space, profile or "")
                self._page(name, page)
                if name == "recovery-0-0.html":
                    self._page("recovery.html", page)

    def _findings(self) -> None:
        for name, query, page in finding_pages(self.site, self.view):
            self._page(self.to.page(name, **query), page)
        for name, data in finding_pictures(self.site, self.view):
            _write(self.target / name, data)

    def _map(self) -> None:
        self._page("map.html", map_page(self.view, None, None))
        data, folder = self.site.map_data(self.view), self.target / "map"
        for space, methods in self.view.maps.items():
            for method in methods:
                _write(folder / f"{space}-{method}.bin", data.point_file(space, method))
                _write(folder / f"{space}-{method}-regions.json", data.region_file(space, method))
        _write(folder / "facets.bin", data.facet_file)

    def _pictures(self) -> None:
        gone = 0
        with progress("export", len(self.to.pictures), "pictures", 10) as advance:
            for done, (item, size) in enumerate(sorted(self.to.pictures), start=1):
                try:
                    data = self.site.pictures.thumbnail(self.view, item, size)
                    _write(self.target / picture_path(self.view, item, size), data)
                except NotFoundError as error:
                    gone += 1
                    log.debug("export: %s", error)
                advance(done)
        if gone:
            log.warning("export: %d pictures are gone since they were embedded", gone)

    def _page(self, name: str, page: Page) -> None:
        html = self.site.render(page, self.view, self.to)
        _write(self.target / name, html.encode())
        self.pages += 1


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)

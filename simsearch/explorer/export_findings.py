"""The findings as plain files, without the changes, which need the previous snapshot."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping

from simsearch.errors import NotFoundError
from simsearch.explorer.pages.addresses import Value
from simsearch.explorer.pages.derived import learned_of, placeholders_of
from simsearch.explorer.pages.findings.details import details_page
from simsearch.explorer.pages.findings.disagreement import disagreement_page
from simsearch.explorer.pages.findings.duplicates import CHANCES, chances_of, duplicates_page
from simsearch.explorer.pages.findings.hubs import hubs_page
from simsearch.explorer.pages.findings.learned import learned_page
from simsearch.explorer.pages.findings.other_hands import other_hands_page
from simsearch.explorer.pages.findings.overview import overview_page
from simsearch.explorer.pages.findings.placeholders import placeholders_page
from simsearch.explorer.pages.page import Page, PagedPage
from simsearch.explorer.pages.site import Site
from simsearch.reading.findings.learned import example_png
from simsearch.reading.view import SnapshotView

log = logging.getLogger(__name__)

Query = dict[str, Value]
Addressed = tuple[str, Query, Page]


def finding_file(view: SnapshotView, name: str, query: Mapping[str, Value]) -> str:
    """The name of a finding's page. It has numbers in place of names: file names contain no text from
    outside."""
    parts = [name.replace("/", "-")]
    if (space := query.get("space")) in view.spaces:
        parts.append(f"space-{view.spaces.index(str(space))}")
    if (chance := str(query.get("chance") or CHANCES[0])) != CHANCES[0]:
        parts.append(f"chance-{CHANCES.index(chance)}")
    if (page := int(query.get("page") or 1)) > 1:
        parts.append(str(page))
    return f"{'-'.join(parts)}.html"


def finding_pages(site: Site, view: SnapshotView) -> Iterator[Addressed]:
    """Each page with its address."""
    yield "findings", {}, overview_page(site, view)
    paged: dict[str, Callable[[int], PagedPage]] = {
        "duplicates": lambda number: duplicates_page(site, view, number),
        "details": lambda number: details_page(site, view, number),
        "placeholders": lambda number: placeholders_page(site, view, number),
    }
    for name, page_at in paged.items():
        for number in range(1, page_at(1).paging.count + 1):
            yield f"findings/{name}", {"page": number}, page_at(number)
    for chosen in chances_of(site, view)[1:]:
        count = duplicates_page(site, view, 1, chosen.value).paging.count
        for number in range(1, count + 1):
            query: Query = {"chance": chosen.value, "page": number}
            yield "findings/duplicates", query, duplicates_page(site, view, number, chosen.value)
    for space in view.spaces:
        yield "findings/hubs", {"space": space}, hubs_page(site, view, space, 1)
    yield "findings/hubs", {}, hubs_page(site, view, None, 1)
    yield "findings/other-hands", {}, other_hands_page(site, view, None, 1)
    yield "findings/disagreement", {}, disagreement_page(site, view, 1)
    yield "findings/learned", {}, learned_page(site, view)


def finding_pictures(site: Site, view: SnapshotView) -> Iterator[tuple[str, bytes]]:
    """The paths and contents of the pictures that only these pages show."""
    for placeholder in placeholders_of(site, view).values():
        for size in (96, 400):
            try:
                data = site.pictures.of_uri(view, placeholder.image_uri, size)
            except NotFoundError as error:
                log.warning("export: a placeholder's picture is gone: %s", error)
                continue
            yield f"findings/placeholders/{placeholder.short_hash}-{size}.webp", data
    for number, learned in enumerate(learned_of(site, view)):
        for kind, count in learned.examples.items():
            for place in range(count):
                data = example_png(view, learned.training, kind, place)
                yield f"findings/learned/{number}/{kind}-{place}.png", data

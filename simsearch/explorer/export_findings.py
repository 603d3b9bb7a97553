"""The findings as plain files, without the changes, which need the previous snapshot."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from simsearch.errors import NotFoundError
from simsearch.explorer.pages import findings
from simsearch.explorer.pages.addresses import Value
from simsearch.explorer.pages.site import Site
from simsearch.reading.findings.learned import example_png
from simsearch.reading.view import SnapshotView

log = logging.getLogger(__name__)

Query = dict[str, Value]
Page = tuple[str, Query, str, dict[str, Any]]


def finding_file(view: SnapshotView, name: str, query: Mapping[str, Value]) -> str:
    """The name of a finding's page. It has numbers in place of names: file names contain no text from
    outside."""
    parts = [name.replace("/", "-")]
    if (space := query.get("space")) in view.spaces:
        parts.append(f"space-{view.spaces.index(str(space))}")
    if (page := int(query.get("page") or 1)) > 1:
        parts.append(str(page))
    return f"{'-'.join(parts)}.html"


def finding_pages(site: Site, view: SnapshotView) -> Iterator[Page]:
    """The address, template and values of each page."""
    yield "findings", {}, "findings/overview", findings.overview(site, view)
    paged: dict[str, Callable[[int], dict[str, Any]]] = {
        "duplicates": lambda page: findings.duplicates(site, view, page),
        "placeholders": lambda page: findings.placeholder_page(site, view, page),
    }
    for name, values_of in paged.items():
        count = values_of(1)["page_count"]
        for page in range(1, count + 1):
            yield f"findings/{name}", {"page": page}, f"findings/{name}", values_of(page)
    for space in view.spaces:
        values = findings.hub_page(site, view, space, 1)
        yield "findings/hubs", {"space": space}, "findings/hubs", values
    first = findings.hub_page(site, view, None, 1)
    yield "findings/hubs", {}, "findings/hubs", first
    hands = findings.other_hands_page(site, view, None, 1)
    yield "findings/other-hands", {}, "findings/other-hands", hands
    disagreements = findings.disagreement_page(site, view, 1)
    yield "findings/disagreement", {}, "findings/disagreement", disagreements
    yield "findings/learned", {}, "findings/learned", findings.learned_page(site, view)


def finding_pictures(site: Site, view: SnapshotView) -> Iterator[tuple[str, bytes]]:
    """The paths and contents of the pictures that only these pages show."""
    for placeholder in findings.placeholder_page(site, view, 1)["placeholders"]:
        for size in (96, 400):
            try:
                data = site.pictures.of_uri(view, placeholder.image_uri, size)
            except NotFoundError as error:
                log.warning("export: a placeholder's picture is gone: %s", error)
                continue
            yield f"findings/placeholders/{placeholder.short_hash}-{size}.webp", data
    for number, learned in enumerate(findings.learned_of(site, view)):
        for kind, count in learned.examples.items():
            for place in range(count):
                data = example_png(view, learned.training, kind, place)
                yield f"findings/learned/{number}/{kind}-{place}.png", data

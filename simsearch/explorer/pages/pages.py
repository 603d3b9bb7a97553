"""The values that each page's template gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simsearch.errors import UsageError
from simsearch.explorer.pages import charts, findings
from simsearch.explorer.pages.addresses import Addresses
from simsearch.explorer.pages.detail import FIRST_BOX
from simsearch.explorer.pages.paging import page_of
from simsearch.explorer.pages.site import PAGE_SIZE, Site
from simsearch.indexes.index import read_manifest
from simsearch.reading import downloads, sets, side_by_side
from simsearch.reading import runs as run_history
from simsearch.reading.artworks import SAID, Artwork, shorten
from simsearch.reading.picture_query import PictureResult
from simsearch.reading.recovery import MeanScore, find_missed, missed_page
from simsearch.reading.search import Search
from simsearch.reading.view import SnapshotView
from simsearch.settings.config import Config
from simsearch.settings.shown_places import show_settings
from simsearch.snapshots.layout import SEARCHES

Values = dict[str, Any]

MATCHES = 12  # artworks per space in the results for a picture
MISSED_PER_PAGE = 24


def search(site: Site, view: SnapshotView, asked: Search, page: int) -> Values:
    numbers = site.search(view, asked)
    page, count, part = page_of(len(numbers), page, PAGE_SIZE)
    state = {
        "q": asked.q, "title": asked.title, "artist": asked.artist, "medium": asked.medium,
        "year_from": asked.year_from, "year_to": asked.year_to,
    }  # fmt: skip
    return {
        "asked": asked,
        "state": state,
        "total": len(numbers),
        "page": page,
        "page_count": count,
        "artworks": [view.artwork_at(int(number)) for number in numbers[part]],
        "snapshots": site.library.listed(),
        "set_of": sets.encode(numbers.tolist())
        if asked != Search() and 0 < len(numbers) <= sets.MOST
        else None,
    }


def artwork(
    view: SnapshotView, artwork_id: str, chosen: Sequence[str], *, with_copies: bool
) -> Values:
    artwork = view.artwork(artwork_id)
    for space in chosen:
        view.space(space)
    spaces = [space for space in view.spaces if not chosen or space in chosen]
    return {
        "artwork": artwork,
        "facts": facts_of(artwork),
        "spaces": spaces,
        "with_copies": with_copies,
        "columns": side_by_side.columns(view, artwork, spaces, with_copies=with_copies),
        "copies": side_by_side.copies(view, artwork, spaces),
        "position": artwork.number,
        "before": view.artwork_at((artwork.number - 1) % len(view)),
        "after": view.artwork_at((artwork.number + 1) % len(view)),
    }


def facts_of(artwork: Artwork) -> list[tuple[str, str]]:
    """The catalog's entry for an artwork, as names and texts. A text may be empty."""
    columns = ("date", "medium", "dimensions", "department", "classification")
    facts = [(column.capitalize(), artwork.row[column]) for column in columns]
    facts.append(("Subjects", ", ".join(artwork.row["subjects"] or [])))
    facts += [
        (name.capitalize(), artwork.row[name]) for name in ("credit", "rights", "attribution")
    ]
    return [*facts, ("Identifier", artwork.artwork_id)]


def picture(
    config: Config, years: Search, answers: Sequence[PictureResult] | None = None
) -> Values:
    return {
        "years": years,
        "answers": answers,
        "limit_bytes": config.explore.max_upload_bytes,
        "limit_pixels": config.explore.max_upload_pixels,
        "matches": MATCHES,
        "first_box": FIRST_BOX,
    }


def recovery(
    site: Site,
    view: SnapshotView,
    to: Addresses,
    *,
    k: int | None,
    metric: str | None,
    search: str,
    space: str | None,
    profile: str | None,
    page: int,
) -> Values:
    """The values of the recovery page. Raises UsageError for a k, metric or search that was not
    evaluated."""
    measured = site.recovery(view)
    if not measured.ks:
        return {"measured": None}
    metric = metric or next(iter(measured.metrics))
    k = k or measured.ks[-1]
    _check("k", k, measured.ks)
    _check("metric", metric, list(measured.metrics))
    _check("search", search, SEARCHES)
    state: dict[str, Any] = {"k": k, "metric": metric, "search": search}

    def link(bar: MeanScore) -> str:
        profile = bar.group if bar.group in view.profiles else None
        return to.page("recovery", **state, space=bar.space, profile=profile) + "#missed"

    groups = measured.by_profile(search, k)
    overall = measured.overall(search, metric)
    of_rankings = measured.of_rankings(search)
    return {
        "measured": measured,
        "state": state,
        "exact": _list_compared_whole(view) if search == "annoy" else [],
        "overall": overall,
        "groups": groups,
        "curves": charts.curves(overall, view.spaces),
        "bars": charts.bars(groups, view.spaces, link),
        "whole": of_rankings,
        "whole_bars": charts.bars(of_rankings, view.spaces, link),
        "table_names": downloads.table_names(view),
        **_missed(view, space, profile, k, page),
    }


def _list_compared_whole(view: SnapshotView) -> list[str]:
    """The spaces whose indexes compare all vectors at the evaluated depth."""
    snapshot = view.snapshot
    folders = {name: snapshot.index_folder(name) for name in view.spaces}
    return [
        name for name, folder in folders.items() if read_manifest(snapshot.storage, folder).exact
    ]


def _missed(
    view: SnapshotView, space: str | None, profile: str | None, k: int, page: int
) -> Values:
    space = space or view.spaces[0]
    view.space(space)
    if profile is not None:
        _check("profile", profile, view.profiles)
    entries = find_missed(view, space, k, profile)
    page, count, part = page_of(len(entries), page, MISSED_PER_PAGE)
    return {
        "space": space,
        "profile": profile,
        "profile_words": {"": "any", **{profile: profile for profile in view.profiles}},
        "missed_total": len(entries),
        "missed": missed_page(view, space, k, profile, entries[part]),
        "page": page,
        "page_count": count,
    }


def _check(name: str, value: object, allowed: Sequence[object]) -> None:
    if value not in allowed:
        raise UsageError(
            f"{name}: {shorten(str(value), SAID)!r} was not evaluated; choose one of {', '.join(map(str, allowed))}"
        )


def runs(site: Site, view: SnapshotView) -> Values:
    moved = findings.since(site, view)
    return {
        "snapshots": site.library.listed(),
        "before": moved and moved.before,
        "changes": moved and moved.changes,
        "networks": [
            {
                "space": space,
                "reason": view.plan.precision_reasons.get(space.name, ""),
                "index": read_manifest(
                    view.snapshot.storage, view.snapshot.index_folder(space.name)
                ),
            }
            for space in view.plan.spaces
        ],
        "reject_groups": run_history.reject_groups(view),
        "steps": view.manifest["steps"],
        "environment": view.manifest["environment"],
        "settings": show_settings(view.plan.settings),
        "table_names": downloads.table_names(view),
    }


def api_page(description: Mapping[str, Any]) -> Values:
    """The OpenAPI description as a list to read."""
    operations = [
        {
            "method": method.upper(),
            "path": path,
            "summary": operation.get("description") or operation.get("summary", ""),
            "parameters": [_parameter(parameter) for parameter in operation.get("parameters", ())],
        }
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    ]
    return {"operations": operations}


def _parameter(parameter: Mapping[str, Any]) -> Values:
    schema = parameter["schema"]
    kinds = [option.get("type") for option in schema.get("anyOf", [schema])]
    return {
        "name": parameter["name"],
        "kind": " or ".join(str(kind) for kind in kinds if kind and kind != "null"),
        "required": parameter["required"],
        "default": schema.get("default"),
        "description": parameter.get("description", ""),
    }

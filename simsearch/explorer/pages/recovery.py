"""How far a search can be trusted: scores, charts, and the copies that were not found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from markupsafe import Markup

from simsearch.errors import UsageError
from simsearch.explorer.pages import charts
from simsearch.explorer.pages.addresses import Addresses, Value
from simsearch.explorer.pages.page import PagedPage
from simsearch.explorer.pages.paging import Paging, page_of
from simsearch.explorer.pages.site import Site
from simsearch.reading.artworks import SAID, shorten
from simsearch.reading.networks import exact_spaces
from simsearch.reading.recovery import MeanScore, Missed, Recovery, find_missed, missed_page
from simsearch.reading.view import SnapshotView
from simsearch.snapshots.layout import SEARCHES

MISSED_PER_PAGE = 24

ScoreLines = Mapping[str, Sequence[MeanScore]]


@dataclass(frozen=True)
class SearchScores:
    """The scores of one search at one k. `overall` has a line per space, `groups` a share per profile,
    `whole` the scores of whole rankings; `curves`, `bars` and `whole_bars` are their charts. `exact`
    are the spaces whose index compares all vectors."""

    ks: Sequence[int]
    metrics: Mapping[str, str]
    exact: list[str]
    overall: ScoreLines
    groups: ScoreLines
    whole: ScoreLines
    curves: Markup
    bars: Markup
    whole_bars: Markup


@dataclass(frozen=True)
class MissedCopies:
    """The `total` originals with a copy, of one `profile` or of any (None), that a space misses, and some
    of them. `profile_words` says what to call each choice of profile."""

    space: str
    profile: str | None
    profile_words: dict[str, str]
    total: int
    shown: list[Missed]


@dataclass(frozen=True)
class RecoveryPage(PagedPage):
    """`state` names k, metric and search in addresses; `scores` and `missed` are None for a snapshot
    without copies."""

    template: ClassVar[str] = "recovery"

    state: dict[str, Value]
    scores: SearchScores | None
    missed: MissedCopies | None


def recovery_page(
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
) -> RecoveryPage:
    """The values of the recovery page. Raises UsageError for a k, metric or search that was not
    evaluated."""
    measured = site.recovery(view)
    if not measured.ks:
        return RecoveryPage(page_of(0, page, MISSED_PER_PAGE), {}, None, None)
    metric = metric or next(iter(measured.metrics))
    k = measured.ks[-1] if k is None else k
    _check("k", k, measured.ks)
    _check("metric", metric, list(measured.metrics))
    _check("search", search, SEARCHES)
    state: dict[str, Value] = {"k": k, "metric": metric, "search": search}
    scores = _scores(view, to, measured, state, k=k, metric=metric, search=search)
    paging, lost = _missed(view, space, profile, k, page)
    return RecoveryPage(paging, state, scores, lost)


def _scores(
    view: SnapshotView,
    to: Addresses,
    measured: Recovery,
    state: dict[str, Value],
    *,
    k: int,
    metric: str,
    search: str,
) -> SearchScores:
    def link(bar: MeanScore) -> str:
        profile = bar.group if bar.group in view.profiles else None
        return to.page("recovery", **state, space=bar.space, profile=profile) + "#missed"

    groups = measured.by_profile(search, k)
    overall = measured.overall(search, metric)
    whole = measured.of_rankings(search)
    return SearchScores(
        ks=measured.ks,
        metrics=measured.metrics,
        exact=exact_spaces(view.snapshot, view.spaces) if search == "annoy" else [],
        overall=overall,
        groups=groups,
        whole=whole,
        curves=charts.curves(overall, view.spaces),
        bars=charts.bars(groups, view.spaces, link),
        whole_bars=charts.bars(whole, view.spaces, link),
    )


def _missed(
    view: SnapshotView, space: str | None, profile: str | None, k: int, page: int
) -> tuple[Paging, MissedCopies]:
    space = space or view.spaces[0]
    view.space(space)
    if profile is not None:
        _check("profile", profile, view.profiles)
    entries = find_missed(view, space, k, profile)
    paging = page_of(len(entries), page, MISSED_PER_PAGE)
    return paging, MissedCopies(
        space=space,
        profile=profile,
        profile_words={"": "any", **{profile: profile for profile in view.profiles}},
        total=len(entries),
        shown=missed_page(view, space, k, profile, entries[paging.part]),
    )


def _check(name: str, value: object, allowed: Sequence[object]) -> None:
    if value not in allowed:
        raise UsageError(
            f"{name}: {shorten(str(value), SAID)!r} was not evaluated; choose one of {', '.join(map(str, allowed))}"
        )

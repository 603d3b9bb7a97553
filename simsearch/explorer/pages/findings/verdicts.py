"""Near-duplicates one after the other, for a person to judge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

from simsearch.errors import UsageError
from simsearch.explorer.pages.derived import listed_pairs, near_pairs, picture_pair
from simsearch.explorer.pages.page import Page
from simsearch.explorer.pages.site import Site
from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.questions import LeftOut, Questions
from simsearch.reading.verdicts import (
    CHOICES,
    MOST_TOGETHER,
    Choice,
    StandingVerdicts,
    by_words,
    numbers_by_hash,
    standing_verdicts,
    words_of,
)
from simsearch.reading.view import SnapshotView

LATEST = 12  # verdicts listed below the question


@dataclass(frozen=True)
class Member:
    """A picture of the question's group. `said` is the verdict on it beside the question's pictures, if there
    is one; `chosen` if it is judged with the others unless its box is emptied."""

    artwork: ViewArtwork
    said: str
    chosen: bool


@dataclass(frozen=True)
class Question:
    """Two works to judge, and what geometry `says` of them. `given` is the verdict that they have, in words,
    and `by` who gave it. `members` are all works of their group, where there are more than two."""

    first: ViewArtwork
    other: ViewArtwork
    says: str
    given: str
    by: str
    members: list[Member]
    artists: list[str]
    folder: str


@dataclass(frozen=True)
class Said:
    """A verdict that counts, on two works of the snapshot."""

    first: ViewArtwork
    other: ViewArtwork
    words: str
    by: str


@dataclass(frozen=True)
class VerdictsPage(Page):
    """`place` is the question's among those that are pending, or where to go on after a pair that was
    `asked_for`. `state` is what addresses of the page keep. `just_given` is one of the `many_given`
    verdicts of the time `given`, which can be taken back. `latest` are the newest verdicts."""

    template: ClassVar[str] = "findings/verdicts"

    may_judge: bool
    problem: str
    question: Question | None
    questions: Questions
    choices: tuple[Choice, ...]
    place: int
    asked_for: bool
    left_out: LeftOut
    state: dict[str, str | int | None]
    given: str
    just_given: Said | None
    many_given: int
    latest: list[Said]
    most: int


def verdicts_page(
    site: Site,
    view: SnapshotView,
    left_out: LeftOut,
    place: int,
    pair: tuple[str, str] | None,
    given: str,
    *,
    may_judge: bool,
) -> VerdictsPage:
    """The page at a `place` among the pending questions, or of a `pair` of artworks' ids. `given` is the time
    of the last verdict."""
    standing = standing_verdicts(view.snapshot.storage)
    near = near_pairs(site, view)
    questions = near.ask(standing, left_out)
    works: tuple[ViewArtwork, ViewArtwork] | None = None
    if pair is not None:
        works = view.artwork(pair[0]), view.artwork(pair[1])
        if works[0].content_hash == works[1].content_hash:
            raise UsageError("both works show the same file; a verdict is on two pictures")
    elif place < len(questions.pending):
        asked = questions.pending[place]
        works = view.artwork_at(asked.first), view.artwork_at(asked.other)
    number_of = site.derived(view, "numbers by hash", lambda: numbers_by_hash(view))
    said = _said(view, standing, number_of, names=may_judge)
    latest = list(islice(said, LATEST))
    just_given = [entry for at, entry in latest if at == given]
    return VerdictsPage(
        may_judge=may_judge and not standing.problem,
        problem=standing.problem,
        question=None
        if works is None
        else _question(site, view, standing, *works, names=may_judge),
        questions=questions,
        choices=CHOICES,
        place=place,
        asked_for=pair is not None,
        left_out=left_out,
        state={
            "artist": "\n".join(left_out.artists),
            "folder": "\n".join(left_out.folders),
        },
        given=given if just_given else "",
        just_given=just_given[0] if just_given else None,
        many_given=sum(verdict.at == given for verdict in standing.by_pair.values()),
        latest=[entry for _, entry in latest],
        most=MOST_TOGETHER,
    )


def _question(
    site: Site,
    view: SnapshotView,
    standing: StandingVerdicts,
    first: ViewArtwork,
    other: ViewArtwork,
    *,
    names: bool,
) -> Question:
    near = near_pairs(site, view)
    given = standing.between(first, other)
    listed = listed_pairs(site, view).between(first.number, other.number)
    members = [view.artwork_at(number) for number in near.group(first.number)]
    return Question(
        first=first,
        other=other,
        says=picture_pair(site, view, first, other).sentence,
        given="" if given is None else words_of(given, first.content_hash),
        by=by_words(given) if given is not None and names else "",
        members=[
            Member(artwork, _beside(standing, artwork, first, other), place < MOST_TOGETHER)
            for place, artwork in enumerate(members)
        ]
        if len(members) > 2
        else [],
        artists=[] if listed is None else near.common_artists(listed),
        folder="" if listed is None else near.common_folder(listed),
    )


def _beside(
    standing: StandingVerdicts, artwork: ViewArtwork, first: ViewArtwork, other: ViewArtwork
) -> str:
    """The verdicts on a member of a group beside the question's two pictures, in words."""
    said = [
        (place, given)
        for place, shown in (("first", first), ("second", other))
        if (given := standing.between(artwork, shown)) is not None
        and artwork.content_hash not in (first.content_hash, other.content_hash)
    ]
    return "; ".join(f"to the {place}: {given.verdict}" for place, given in said)


def _said(
    view: SnapshotView, standing: StandingVerdicts, number_of: dict[str, int], *, names: bool
) -> Iterator[tuple[str, Said]]:
    """The verdicts on pictures of the snapshot, each with its time, the newest first."""
    for given in sorted(standing.by_pair.values(), key=lambda given: given.at, reverse=True):
        first, other = number_of.get(given.first_hash), number_of.get(given.second_hash)
        if first is not None and other is not None:
            works = view.artwork_at(first), view.artwork_at(other)
            words = words_of(given, given.first_hash)
            yield given.at, Said(*works, words, by_words(given) if names else "")

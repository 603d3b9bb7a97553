"""Triplets as a sheet for a judge to fill in, and judgements as a table to hand on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, islice

import pyarrow as pa

from simsearch.errors import UsageError
from simsearch.judgements.judgements import (
    SCHEMA,
    Judgement,
)
from simsearch.judgements.outcome import outcomes
from simsearch.judgements.said import WITHDRAWN
from simsearch.judgements.triplets import Kind, Proposals, Triplet, triplets
from simsearch.reading.view import SnapshotView

MOST_ASKED = 9999  # questions for a judge
SHEET = pa.schema(
    [
        pa.field(name, pa.string())
        for name in (
            "question", "answer", "work_id", "work_title", "work_picture", "left_id", "left_title",
            "left_picture", "right_id", "right_title", "right_picture", "who", "asked",
            "work_hash", "left_hash", "right_hash",
        )
    ]
)  # fmt: skip


def ask(view: SnapshotView, question: str, who: str, seed: int) -> Iterator[Judgement]:
    """The questions for a judge, without answers and times, MOST_ASKED at most. Raises UsageError where the
    snapshot's spaces leave nothing to ask."""
    if len(view.spaces) < 2:
        raise UsageError("the snapshot has one space; judgements compare two or more")

    def nearest(space: str, work: int, n: int) -> list[int]:
        neighbours = view.nearest_artworks(space, view.artwork_at(work), n)
        return [int(view.artwork_of_item[neighbour.item]) for neighbour in neighbours]

    def picture(work: int) -> str:
        return str(view.hashes[int(view.item_of_artwork[work])].as_py())

    proposals = Proposals(view.spaces, len(view), nearest, picture)
    asked = triplets(proposals, question, who, seed)
    for number, triplet in enumerate(islice(asked, MOST_ASKED), start=1):
        name = f"{view.snapshot_id}/{seed}/{number}"
        yield _blank(view, picture, question, who, name, triplet)


def ask_next(
    view: SnapshotView, judgements: Sequence[Judgement], question: str, who: str, seed: int, n: int
) -> list[Judgement]:
    """The next questions for a judge: those without an answer, on spaces between which people have not
    decided yet. Raises UsageError where nothing is left to ask."""
    answered = {judgement.key for judgement in judgements}
    decided = {
        frozenset(pair)
        for outcome in outcomes(judgements)
        if outcome.question == question
        for pair, preference in outcome.preferences.items()
        if preference.clear or not preference.more
    }
    if all(frozenset(pair) in decided for pair in combinations(view.spaces, 2)) and decided:
        raise UsageError(f"{question}: all is decided; `simsearch judgements list` says how")
    asked = ask(view, question, who, seed)
    open_ones = (
        judgement
        for judgement in asked
        if judgement.key not in answered
        and frozenset((judgement.left_space, judgement.right_space)) not in decided
    )
    chosen = list(islice(open_ones, n))
    if not any(judgement.kind != Kind.CHECK for judgement in chosen):
        raise UsageError(f"{question}: there is nothing left to ask {who}")
    return chosen


def _blank(
    view: SnapshotView,
    picture: Callable[[int], str],
    question: str,
    who: str,
    asked: str,
    triplet: Triplet,
) -> Judgement:
    left, right = (
        view.space(name).fingerprint if name else ""
        for name in (triplet.left_space, triplet.right_space)
    )
    return Judgement(
        "",
        who,
        question,
        asked,
        triplet.kind.value,
        picture(triplet.work),
        picture(triplet.left),
        picture(triplet.right),
        triplet.left_space,
        triplet.right_space,
        left,
        right,
        triplet.rank,
        WITHDRAWN,
    )


def sheet(view: SnapshotView, asked: list[Judgement]) -> pa.Table:
    """SHEET: one row a question, with an empty answer, and neither spaces nor kinds."""
    hashes = view.hashes.take(pa.array(view.item_of_artwork)).to_pylist()
    number_of = {digest: number for number, digest in reversed(list(enumerate(hashes)))}
    rows = []
    for judgement in asked:
        row = {
            "question": judgement.question,
            "who": judgement.who,
            "asked": judgement.asked,
            "work_hash": judgement.work_hash,
            "left_hash": judgement.left_hash,
            "right_hash": judgement.right_hash,
        }
        for place in ("work", "left", "right"):
            artwork = view.artwork_at(number_of[row[f"{place}_hash"]])
            row |= {
                f"{place}_id": artwork.artwork_id,
                f"{place}_title": artwork.whole_title,
                f"{place}_picture": view.catalog["image_uri"][artwork.number].as_py(),
            }
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=SHEET)


def judgement_table(judgements: list[Judgement]) -> pa.Table:
    """The table of all columns that judgements have, to hand on."""
    rows = [{name: getattr(judgement, name) for name in SCHEMA.names} for judgement in judgements]
    return pa.Table.from_pylist(rows, schema=SCHEMA)

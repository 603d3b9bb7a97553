"""What the spaces learned from the collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from markupsafe import Markup

from simsearch.explorer.pages.derived import learned_of
from simsearch.explorer.pages.page import Page
from simsearch.explorer.pages.site import Site
from simsearch.reading.findings.learned import BETWEEN, Learned
from simsearch.reading.training_log import EXAMPLE_ROWS, TrainingRow
from simsearch.reading.view import SnapshotView
from simsearch.reports.loss_curves import loss_curves

KIND_WORDS = {
    "originals": "as they are",
    "made": "as it makes them again",
    "copies": "slightly changed",
    "mended": "what it makes of the changed ones",
}


@dataclass(frozen=True)
class LearnedSpace:
    """A training, its `facts` as names and texts, and a curve of each loss by the loss's name."""

    learned: Learned
    facts: list[tuple[str, str]]
    curves: list[tuple[str, Markup]]


@dataclass(frozen=True)
class LearnedPage(Page):
    """`rows` and `kind_words` say what to call the pictures of each kind, for who cannot see them and in
    the table; `between` names the kind that leads from one picture to another."""

    template: ClassVar[str] = "findings/learned"

    spaces: list[LearnedSpace]
    rows: Mapping[str, str]
    between: str
    kind_words: Mapping[str, str]


def learned_page(site: Site, view: SnapshotView) -> LearnedPage:
    spaces = [
        LearnedSpace(learned, _facts(learned.row), loss_curves(learned.training.losses))
        for learned in learned_of(site, view)
    ]
    return LearnedPage(spaces, EXAMPLE_ROWS, BETWEEN, KIND_WORDS)


def _facts(row: TrainingRow) -> list[tuple[str, str]]:
    in_use = "" if row.active is None else f", {row.active:,.0f} of them in use"
    return [
        ("Kind", row.kind),
        ("Learned from", f"{row.artworks:,} works, {row.images:,} images with their copies"),
        ("Held out", row.held_out),
        ("Copies it saw", row.profiles),
        ("Makes of a picture", f"{row.dimension:,} numbers{in_use}"),
        ("Took", row.cost),
        ("At the end", row.losses),
    ]

"""Two artworks' pictures in all their pixels, aligned where geometry knows how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simsearch.explorer.pages.derived import picture_pair
from simsearch.explorer.pages.page import Page
from simsearch.explorer.pages.site import Site
from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.picture_pairs import PicturePair
from simsearch.reading.verdicts import verdict_between
from simsearch.reading.view import SnapshotView
from simsearch.schemas import PICTURE_SIZE

BESIDE = ("side", "Side by side")
LAID = (("fade", "Overlay"), ("wipe", "Wipe"), ("flicker", "Flicker"))


@dataclass(frozen=True)
class ComparePage(Page):
    """`transform` are the nine numbers of `common.transform`, None where nothing aligns the pictures;
    its lengths are pixels of pictures whose long side has `side` of them. `judged` is a person's verdict in words,
    empty for none. `modes` are the ways to show
    both, each with its label."""

    template: ClassVar[str] = "closer/compare"

    first: ViewArtwork
    other: ViewArtwork
    common: PicturePair
    judged: str
    transform: list[float] | None
    side: int
    modes: tuple[tuple[str, str], ...]


def compare_page(site: Site, view: SnapshotView, artwork_id: str, other_id: str) -> ComparePage:
    first, other = view.artwork(artwork_id), view.artwork(other_id)
    common = picture_pair(site, view, first, other)
    aligned = common.transform is not None
    return ComparePage(
        first=first,
        other=other,
        common=common,
        judged=verdict_between(view, first, other),
        transform=common.transform.ravel().tolist() if common.transform is not None else None,
        side=PICTURE_SIZE,
        modes=(BESIDE, *LAID) if aligned else (BESIDE,),
    )

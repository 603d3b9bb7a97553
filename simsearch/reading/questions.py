"""Near-duplicates as questions to a person: which pairs of pictures nobody has judged yet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from simsearch.reading.findings.duplicates import gather
from simsearch.reading.findings.listed_pairs import ListedPair, ListedPairs
from simsearch.reading.verdicts import StandingVerdicts
from simsearch.reading.view import SnapshotView

MOST_LEFT_OUT = 20  # artists, and folders


@dataclass(frozen=True)
class LeftOut:
    """Artists and folders. A pair is left out if both of its works are by one of the artists, or lie in one
    of the folders."""

    artists: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


@dataclass(frozen=True)
class Questions:
    """The `pending` pairs, in the order in which they are asked, and how many pairs are `judged`."""

    pending: list[ListedPair]
    judged: int

    @property
    def total(self) -> int:
        return len(self.pending) + self.judged


class NearPairs:
    """The pairs of different pictures that a snapshot lists, group by group, the surest group first. Each
    pair of pictures is there once, however many artworks show them."""

    def __init__(self, view: SnapshotView, listed: ListedPairs) -> None:
        self._hashes = view.hashes.take(pa.array(view.item_of_artwork)).to_pylist()
        self._artists = view.catalog["artists"].to_pylist()
        self._folders = folders_of(view)
        pairs: dict[tuple[str, str], ListedPair] = {}
        for pair in sorted(listed.all(), key=_surest):
            first, other = sorted((self._hashes[pair.first], self._hashes[pair.other]))
            if first != other:
                pairs.setdefault((first, other), pair)
        self._shown_by = {self._hashes[n]: n for p in pairs.values() for n in (p.other, p.first)}
        numbers = [
            (self._shown_by[first], self._shown_by[other]) for first, other in pairs
        ]  # one artwork for each picture
        self._group_of = gather(numbers)
        self._members: dict[int, list[int]] = {}
        order: dict[int, list[ListedPair]] = {}
        for (first, other), pair in zip(numbers, pairs.values(), strict=True):
            order.setdefault(self._group_of[first], []).append(_detail_first(pair))
            members = self._members.setdefault(self._group_of[first], [])
            members += [number for number in (first, other) if number not in members]
        self.pairs = [pair for group in order.values() for pair in group]

    def ask(self, standing: StandingVerdicts, left_out: LeftOut) -> Questions:
        """The pairs that are not left out, without those that have a verdict."""
        pairs = [pair for pair in self.pairs if not self._is_left_out(pair, left_out)]
        pending = [pair for pair in pairs if standing.of(*self._pictures(pair)) is None]
        return Questions(pending, len(pairs) - len(pending))

    def group(self, number: int) -> list[int]:
        """The artworks, one for each picture, that hang together with one by pairs; itself among them."""
        own = self._shown_by.get(self._hashes[number])
        return [] if own is None else self._members[self._group_of[own]]

    def common_artists(self, pair: ListedPair) -> list[str]:
        first, other = (self._artists[number] or () for number in (pair.first, pair.other))
        return [name for name in first if name in other]

    def common_folder(self, pair: ListedPair) -> str:
        """The innermost folder in which both pictures lie. Empty for none but the collection's."""
        return _common((self._folders[pair.first], self._folders[pair.other]))

    def _pictures(self, pair: ListedPair) -> tuple[str, str]:
        return self._hashes[pair.first], self._hashes[pair.other]

    def _is_left_out(self, pair: ListedPair, left_out: LeftOut) -> bool:
        if left_out.artists and any(name in left_out.artists for name in self.common_artists(pair)):
            return True
        common = self.common_folder(pair) if left_out.folders else ""
        return any(
            common == folder or common.startswith(f"{folder}/") for folder in left_out.folders
        )


def folders_of(view: SnapshotView) -> list[str]:
    """The folder of each artwork's picture below the one that holds all pictures. Empty for that one, and
    for pictures of the web and those that simsearch keeps itself."""
    uris = view.catalog["image_uri"].combine_chunks()
    kept = view.snapshot.storage.uri("images/")
    files = pc.and_(
        pc.match_substring_regex(uris, "^(file|s3)://"), pc.invert(pc.starts_with(uris, kept))
    )
    folders = pc.replace_substring_regex(uris, "/[^/]*$", "")
    folders = pc.if_else(pc.fill_null(files, False), folders, None).to_pylist()
    base = _common(folder for folder in folders if folder is not None)
    return ["" if folder is None else folder[len(base) :].strip("/") for folder in folders]


def _common(folders: Iterable[str]) -> str:
    """The innermost folder that holds all."""
    ends = sorted({*folders})
    if not ends:
        return ""
    first, last = ends[0].split("/"), ends[-1].split("/")
    same = 0
    while same < min(len(first), len(last)) and first[same] == last[same]:
        same += 1
    return "/".join(first[:same])


def _surest(pair: ListedPair) -> tuple[float, int, int, int]:
    alarms = -1.0 if pair.false_alarms is None else pair.false_alarms
    return alarms, -(pair.inliers or 0), pair.first, pair.other


def _detail_first(pair: ListedPair) -> ListedPair:
    """The pair with the picture first that is a detail of the other, as a verdict has them."""
    return pair.swapped() if pair.relation == "has detail" else pair

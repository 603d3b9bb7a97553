"""The verdicts of a root beside a snapshot's artworks: which count, in words, and how they are given."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import combinations

import pyarrow as pa

from simsearch.errors import DamagedError, StorageError, UsageError
from simsearch.judgements.verdicts import Given, Verdict, give_verdict, pair_key, read_verdicts
from simsearch.reading.artworks import ViewArtwork
from simsearch.reading.sets import one_line
from simsearch.reading.view import SnapshotView
from simsearch.storage.storage import Storage

log = logging.getLogger(__name__)

MOST_TOGETHER = 20  # pictures that are judged at once: as many as somebody can look at


@dataclass(frozen=True)
class Choice:
    """A verdict that can be given, in words. It can be given on two pictures alone if it is `directed`."""

    verdict: str
    label: str
    meaning: str
    directed: bool


def _choice(verdict: Verdict, meaning: str) -> Choice:
    return Choice(verdict.value, verdict.value.capitalize(), meaning, verdict.directed)


CHOICES = (
    _choice(Verdict.SAME_SCAN, "one photograph or scan, perhaps changed"),
    _choice(Verdict.SAME_OBJECT, "one work, photographed twice"),
    _choice(Verdict.DETAIL_OF, "the first shows a part of the second"),
    _choice(Verdict.COPY_AFTER, "the first is copied from the second"),
    _choice(Verdict.SAME_SERIES, "two works that belong together"),
    _choice(Verdict.NOT, "nothing of this"),
)
_DIRECTED = {
    Verdict.DETAIL_OF: "the {} is a detail of the {}",
    Verdict.COPY_AFTER: "the {} is a copy after the {}",
}
_WORDS = {Verdict.NOT: "not the same picture"}


@dataclass(frozen=True)
class StandingVerdicts:
    """The verdict that counts for each pair of pictures. `problem` says why they cannot be read; then there
    are none."""

    by_pair: Mapping[tuple[str, str], Given] = field(default_factory=dict)
    problem: str = ""

    def of(self, first_hash: str, other_hash: str) -> Given | None:
        """The verdict on two pictures; None where nobody gave one."""
        return self.by_pair.get(pair_key(first_hash, other_hash))

    def between(self, first: ViewArtwork, other: ViewArtwork) -> Given | None:
        return self.of(first.content_hash, other.content_hash)


def standing_verdicts(storage: Storage) -> StandingVerdicts:
    """The verdicts of a root. A damaged file costs the verdicts, not the page."""
    try:
        return StandingVerdicts(read_verdicts(storage))
    except StorageError as error:
        log.warning("explore: no verdicts are shown: %s", error)
        return StandingVerdicts(problem="The verdicts cannot be read; the explorer's log says why.")


def words_of(given: Given, first_hash: str) -> str:
    """A verdict in words, with the picture of `first_hash` as the first of the two."""
    verdict = given.verdict
    if verdict is None:
        return ""
    places = ("first", "second") if given.first_hash == first_hash else ("second", "first")
    return _DIRECTED.get(verdict, _WORDS.get(verdict, verdict.value)).format(*places)


def numbers_by_hash(view: SnapshotView) -> dict[str, int]:
    """The number of the artwork that shows a picture, the first of several, by content hash."""
    hashes = view.hashes.take(pa.array(view.item_of_artwork)).to_pylist()
    return {digest: number for number, digest in reversed(list(enumerate(hashes)))}


def verdict_between(view: SnapshotView, first: ViewArtwork, other: ViewArtwork) -> str:
    """What a person said of two artworks' pictures, in words. Empty where nobody did."""
    given = standing_verdicts(view.snapshot.storage).between(first, other)
    return "" if given is None else words_of(given, first.content_hash)


def by_words(given: Given) -> str:
    """Who gave a verdict, and on which day."""
    return f"{given.who}, {given.at[:10]}"


def judge(view: SnapshotView, artworks: Sequence[ViewArtwork], verdict: str, who: str) -> str:
    """Give a verdict on two artworks' pictures, in this order, or on all pairs of more pictures that have no
    verdict yet. Returns its time. Raises UsageError."""
    if verdict not in {*Verdict}:
        raise UsageError(f"no verdict; there are {', '.join(Verdict)}")
    chosen = Verdict(verdict)
    name = one_line(who)
    if not name:
        raise UsageError("a verdict has the name of the person who gives it; type yours first")
    hashes = list(dict.fromkeys(artwork.content_hash for artwork in artworks))
    if len(hashes) < 2:
        raise UsageError("these works show the same file; a verdict is on two pictures")
    if len(hashes) > MOST_TOGETHER:
        raise UsageError(f"{MOST_TOGETHER} pictures at most are judged at once; choose fewer")
    pairs = list(combinations(hashes, 2))
    if len(pairs) > 1:
        if chosen.directed:
            raise UsageError(f"“{chosen}” is said of two pictures; choose two")
        standing = read_verdicts(view.snapshot.storage)
        pairs = [pair for pair in pairs if pair_key(*pair) not in standing]
    if not pairs:
        raise UsageError("all pairs of these pictures are judged; change them one by one")
    with writing():
        return give_verdict(view.snapshot.storage, pairs, chosen, name)


def take_back(view: SnapshotView, at: str, who: str) -> list[Given]:
    """Take back all verdicts that were given at a time, and still count. Returns them."""
    name = one_line(who)
    if not name:
        raise UsageError("type your name first: a verdict is taken back by somebody")
    storage = view.snapshot.storage
    gone = [given for given in read_verdicts(storage).values() if given.at == at]
    if not gone:
        raise UsageError("no verdict of that time counts any more; nothing was taken back")
    with writing():
        give_verdict(storage, [(given.first_hash, given.second_hash) for given in gone], None, name)
    return gone


@contextmanager
def writing() -> Iterator[None]:
    """Say that the root cannot be written where that is so. Raises UsageError, and DamagedError."""
    try:
        yield
    except DamagedError:
        raise
    except StorageError as error:
        log.warning("explore: %s", error)
        raise UsageError("the verdict cannot be stored: the root is not writable") from None

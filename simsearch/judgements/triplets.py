"""What to ask: a work in the middle, and two others that two spaces have at the same rank beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import combinations

import numpy as np

BLOCK = 20  # questions: one check, one repeat, four that all judges are asked
SHARED = 4
DEEPEST = 10  # the last rank that is asked about
TRIES = 200  # works tried for one question; spaces that agree on all of them are as good as equal


class Kind(StrEnum):
    OWN = "own"  # asked of one judge
    SHARED = "shared"  # asked of all judges
    REPEAT = "repeat"  # an earlier question of the same judge, with the sides swapped
    CHECK = "check"  # the work itself beside a random one


@dataclass(frozen=True)
class Triplet:
    """A question: which of `left` and `right` is more like `work`? All are numbers of artworks. The spaces
    that proposed the sides are empty for a check."""

    work: int
    left: int
    right: int
    left_space: str
    right_space: str
    rank: int
    kind: Kind

    def swapped(self) -> Triplet:
        return replace(
            self,
            left=self.right,
            right=self.left,
            left_space=self.right_space,
            right_space=self.left_space,
        )


@dataclass(frozen=True)
class Proposals:
    """What spaces propose. `nearest(space, work, n)` are the numbers of the nearest n other artworks, nearest
    first. `picture(work)` is the same for artworks that show the same picture."""

    spaces: tuple[str, ...]
    works: int
    nearest: Callable[[str, int, int], Sequence[int]]
    picture: Callable[[int], object]


def triplets(proposals: Proposals, question: str, judge: str, seed: int) -> Iterator[Triplet]:
    """The questions for a judge, without end unless the spaces always agree. The same words and seed always
    give the same ones."""
    own, shared = (_differing(proposals, question, part, seed) for part in (f"judge {judge}", ""))
    random = _random(question, f"order of {judge}", seed)
    asked: list[Triplet] = []
    while True:
        kinds = [Kind.CHECK, *[Kind.SHARED] * SHARED, *[Kind.OWN] * (BLOCK - SHARED - 2)]
        for place in random.permutation(len(kinds)):
            kind = kinds[place]
            if kind is Kind.CHECK:
                triplet = _check(proposals, random)
            else:
                triplet = next(shared if kind is Kind.SHARED else own, None)
            if triplet is None:
                return
            triplet = replace(triplet, kind=kind)
            asked.append(triplet)
            yield triplet
        # One of the first half of this block, so that the answer is not still in mind.
        recent = [old for old in asked[-BLOCK + 1 :][: BLOCK // 2] if old.kind is not Kind.CHECK]
        again = recent[int(random.integers(len(recent)))]
        yield replace(again.swapped(), kind=Kind.REPEAT)


def _random(question: str, part: str, seed: int) -> np.random.Generator:
    digest = hashlib.sha256(f"{seed}\n{question}\n{part}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def _differing(proposals: Proposals, question: str, part: str, seed: int) -> Iterator[Triplet]:
    """Questions on which two spaces disagree, the pairs of spaces in turn."""
    random = _random(question, part, seed)
    pairs = list(combinations(proposals.spaces, 2))
    while True:
        some = False
        for place in random.permutation(len(pairs)):
            triplet = _differing_on(proposals, pairs[place], random)
            if triplet is not None:
                some = True
                yield triplet
        if not some:
            return


def _differing_on(
    proposals: Proposals, pair: tuple[str, str], random: np.random.Generator
) -> Triplet | None:
    for _ in range(TRIES):
        work = int(random.integers(proposals.works))
        rank = int(random.integers(1, DEEPEST + 1))
        first, second = pair if random.random() < 0.5 else pair[::-1]
        lists = [proposals.nearest(space, work, rank) for space in (first, second)]
        if min(map(len, lists)) < rank:
            continue
        left, right = (neighbours[rank - 1] for neighbours in lists)
        pictures = [proposals.picture(number) for number in (work, left, right)]
        shown = [{proposals.picture(number) for number in neighbours} for neighbours in lists]
        if len(set(pictures)) == 3 and pictures[1] not in shown[1] and pictures[2] not in shown[0]:
            return Triplet(work, left, right, first, second, rank, Kind.OWN)
    return None


def _check(proposals: Proposals, random: np.random.Generator) -> Triplet | None:
    for _ in range(TRIES):
        work, other = (int(random.integers(proposals.works)) for _ in range(2))
        if proposals.picture(work) != proposals.picture(other):
            check = Triplet(work, work, other, "", "", 0, Kind.CHECK)
            return check if random.random() < 0.5 else check.swapped()
    return None

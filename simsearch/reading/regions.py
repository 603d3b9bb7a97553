"""The map's regions and their names: the facet values that stand out there.

The map's inner square is cut into finer and finer squares. In each square, every value's odds are compared
with its odds in the rest of the collection: the score is the log-odds ratio with an informative Dirichlet
prior, divided by its standard error, as in Monroe, Colaresi & Quinn 2008 ("Fightin' Words"). Neighbouring
squares of the same name become one region.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from simsearch.reading.facets import Facet

INNER = 0.98  # the share of the artworks that the inner square holds along each axis
LEVELS = (2, 3, 4, 5, 6)  # squares a side as powers of two: 4, 8, 16, 32, 64
PRIOR = 20.0  # weight of the prior, "as everywhere", in artworks of a square
LEAST_SCORE = 2.6  # standard errors: 1 in 200 by chance
LEAST_COUNT = 4  # artworks with the value in the square
LEAST_SHARE = 0.2  # share of the square's artworks: a value that one in ten has does not name it
LEAST_LIFT = 1.5  # how many times the value's share in the collection: "oil paint" is no name among paintings

Positions = npt.NDArray[np.floating]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Name:
    """A value that stands out, the `code` of a `facet`. `score` is in standard errors, `share` is the share
    of the region's artworks that have the value."""

    facet: int
    code: int
    score: float
    share: float


@dataclass(frozen=True)
class MapRegion:
    """A named part of the map at one level: its middle (x, y), the `count` of its artworks, and the artwork
    nearest to the middle among those that the first name fits."""

    level: int
    x: float
    y: float
    count: int
    central: int
    names: tuple[Name, ...]


def regions(
    points: Positions, facets: Sequence[Facet], levels: Sequence[int] = LEVELS
) -> list[MapRegion]:
    """Named regions of `points` [artworks, 2] in [0, 1], coarse levels first, best names first.

    Names come from `facets`. The same input gives the same regions.
    """
    return [
        region
        for level in levels
        for region in sorted(
            _level(np.asarray(points, dtype=np.float64), facets, level),
            key=lambda region: (-region.names[0].score, region.y, region.x),
        )
    ]


def inner_square(points: Positions) -> tuple[npt.NDArray[np.float64], float]:
    """The lowest corner [2] and the side of the square around the inner artworks of `points` [artworks, 2].

    A whitened space's map is a dense ball with a wide halo. In a square around all of it, four parts would
    hold everything.
    """
    low, high = np.quantile(points, [(1 - INNER) / 2, (1 + INNER) / 2], axis=0)
    side = float((high - low).max()) or 1.0
    return np.asarray((low + high - side) / 2, dtype=np.float64), side


def inner_regions(
    points: Positions, facets: Sequence[Facet], levels: Sequence[int] = LEVELS
) -> list[MapRegion]:
    """Named regions of `points` [artworks, 2] of any scale. Regions are parts of the points' inner square;
    the few artworks beyond count for its edge."""
    low, side = inner_square(points)
    return [
        replace(region, x=region.x * side + float(low[0]), y=region.y * side + float(low[1]))
        for region in regions(np.clip((points - low) / side, 0, 1), facets, levels)
    ]


def _level(points: Positions, facets: Sequence[Facet], level: int) -> Iterator[MapRegion]:
    side = 2**level
    columns = np.clip((points * side).astype(np.int64), 0, side - 1)
    cells = columns[:, 1] * side + columns[:, 0]
    names = _names(cells, facets, side * side)
    order = np.argsort(cells, kind="stable")
    starts = np.searchsorted(cells[order], np.arange(side * side + 1))
    for group in _join(names, side):
        members = np.concatenate([order[starts[cell] : starts[cell + 1]] for cell in group])
        # The second name is that of the square where the first stands out most.
        best = max(group, key=lambda cell: (names[cell][0].score, -cell))
        first = names[best][0]
        fitting = _select_members(facets[first.facet], first.code, members)
        middle = np.median(points[fitting], axis=0)
        central = fitting[np.argmin(((points[fitting] - middle) ** 2).sum(axis=1))]
        yield MapRegion(
            level, float(middle[0]), float(middle[1]), len(members), int(central), names[best]
        )


def _names(cells: Numbers, facets: Sequence[Facet], count: int) -> dict[int, tuple[Name, ...]]:
    """The two best names of each square that has one, of different facets."""
    sizes = np.bincount(cells, minlength=count)
    names_of: dict[int, list[Name]] = {}
    for place, facet in enumerate(facets):
        for cell, code, score, share in _find_standing_out(cells, sizes, facet):
            names_of.setdefault(cell, []).append(Name(place, code, score, share))
    return {
        cell: tuple(sorted(names, key=lambda name: (-name.score, name.facet))[:2])
        for cell, names in names_of.items()
    }


def _find_standing_out(
    cells: Numbers, sizes: Numbers, facet: Facet
) -> Iterator[tuple[int, int, float, float]]:
    """The value of `facet` that stands out most in each square: square, code, score, share."""
    numbers, codes = facet.pairs()
    telling = facet.names_something()[codes] if len(codes) else np.zeros(0, dtype=bool)
    numbers, codes = numbers[telling], codes[telling]
    values = len(facet.labels)
    keys, here = np.unique(cells[numbers] * values + codes, return_counts=True)
    cell, code = keys // values, keys % values
    everywhere = np.bincount(codes, minlength=values)[code]
    in_cell = np.bincount(cells[numbers], minlength=len(sizes))[cell]
    score = log_odds(here, in_cell, everywhere, len(numbers))
    share = here / sizes[cell]
    lift = here * len(numbers) / (in_cell * everywhere)
    good = (score >= LEAST_SCORE) & (here >= LEAST_COUNT)
    good &= (share >= LEAST_SHARE) & (lift >= LEAST_LIFT)
    best = np.flatnonzero(good)
    best = best[np.lexsort((code[best], -score[best], cell[best]))]
    _, first = np.unique(cell[best], return_index=True)
    for row in best[first]:
        yield int(cell[row]), int(code[row]), float(score[row]), float(share[row])


def log_odds(
    here: Numbers, in_cell: Numbers, everywhere: Numbers, total: int
) -> npt.NDArray[np.float64]:
    """The number of standard errors by which a value's log-odds in a square exceed those in the rest.

    `here` of the square's `in_cell` artworks have the value, `everywhere` of all `total`.
    """
    prior = PRIOR * everywhere / max(1, total)
    inside, outside = here + prior, everywhere - here + prior
    others_inside = np.maximum(in_cell - here, 0) + PRIOR - prior
    others_outside = np.maximum(total - in_cell - everywhere + here, 0) + PRIOR - prior
    ratio = np.log(inside / np.maximum(others_inside, 1e-9)) - np.log(
        outside / np.maximum(others_outside, 1e-9)
    )
    return np.asarray(ratio / np.sqrt(1 / inside + 1 / outside))


def _join(names: dict[int, tuple[Name, ...]], side: int) -> Iterator[list[int]]:
    """Groups of adjacent squares with the same first name."""
    unvisited = dict.fromkeys(sorted(names))
    while unvisited:
        start = next(iter(unvisited))
        wanted = (names[start][0].facet, names[start][0].code)
        group, edge = [], [start]
        del unvisited[start]
        while edge:
            cell = edge.pop()
            group.append(cell)
            for neighbour in _adjacent_cells(cell, side):
                if neighbour in unvisited and wanted == (
                    names[neighbour][0].facet,
                    names[neighbour][0].code,
                ):
                    del unvisited[neighbour]
                    edge.append(neighbour)
        yield sorted(group)


def _adjacent_cells(cell: int, side: int) -> Iterator[int]:
    row, column = divmod(cell, side)
    if column > 0:
        yield cell - 1
    if column < side - 1:
        yield cell + 1
    if row > 0:
        yield cell - side
    if row < side - 1:
        yield cell + side


def _select_members(facet: Facet, code: int, members: Numbers) -> Numbers:
    """The `members` that have the value."""
    also = facet.also_numbers[facet.also_codes == code]
    having = (facet.codes[members] == code) | np.isin(members, also)
    return np.asarray(members[having], dtype=np.int64)

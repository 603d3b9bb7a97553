"""Pairs of pictures that are worth comparing because other pairs join them; plain NumPy and SciPy."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from simsearch.neighbours.lists import Items


def joined_pairs(codes: Items, pictures: int, most: int) -> Items:
    """All pairs within each group of pictures that the pairs `codes` join, as `candidates.pair_codes` gives
    them. Groups of more than `most` pictures have none."""
    first, second = np.divmod(codes, max(1, pictures))
    joined = sparse.coo_array((np.ones(len(codes)), (first, second)), shape=(pictures, pictures))
    _, group = csgraph.connected_components(joined, directed=False)
    members = np.unique(np.concatenate([first, second]))
    members = members[np.argsort(group[members], kind="stable")]
    _, starts = np.unique(group[members], return_index=True)
    pairs = [np.zeros(0, np.int64)]
    for own in np.split(members, starts[1:]):
        if len(own) <= most:
            rows, columns = np.triu_indices(len(own), 1)
            pairs.append(own[rows] * pictures + own[columns])
    return np.unique(np.concatenate(pairs))

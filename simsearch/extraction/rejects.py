"""The rejects of a run in words: their number and an example with its path, for each reason."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from simsearch.catalog.stored import PLACEHOLDER
from simsearch.errors import RejectsError
from simsearch.settings.sections.extraction import ExtractConfig

log = logging.getLogger(__name__)


def reject_lines(rejects: pa.Table) -> list[str]:
    """A line per reason, the most frequent first: count, reason, an example and its fault."""
    reasons: dict[str, list[dict[str, Any]]] = {}
    for row in rejects.to_pylist():
        reasons.setdefault(row["reason"], []).append(row)
    lines = []
    for reason, rows in sorted(reasons.items(), key=lambda item: (-len(item[1]), item[0])):
        first = rows[0]
        where = first["image_uri"] or f"artwork {first['artwork_id']}"
        detail = f": {first['detail']}" if first["detail"] else ""
        lines.append(f"{len(rows):,} {reason} (such as {where}{detail})")
    return lines


def count_sharing(hashes: pa.Array, least: int | None) -> npt.NDArray[np.int64]:
    """The number of artworks with the same picture, for each artwork [artworks]. 0 if fewer than `least`
    share the picture, and for all if `least` is None. `hashes` are the artworks' content hashes, null if
    not known."""
    counts = np.zeros(len(hashes), dtype=np.int64)
    if least is None or not len(hashes):
        return counts
    coded = hashes.dictionary_encode()
    numbers = coded.indices.fill_null(-1).to_numpy()
    known = numbers >= 0
    shared = np.bincount(numbers[known], minlength=len(coded.dictionary))
    counts[known] = shared[numbers[known]]
    return np.where(counts >= least, counts, 0)


def placeholder_row(row: Mapping[str, Any], artworks: int) -> dict[str, Any]:
    """The reject of an artwork that only has a placeholder, a picture that stands for many artworks."""
    return {
        "artwork_id": row["artwork_id"],
        "image_uri": row["image_uri"],
        "stage": "catalog",
        "reason": PLACEHOLDER,
        "detail": f"this picture stands for {artworks:,} artworks; left out of neighbours, "
        "as catalog.placeholder_artworks has it",
        "etag": row["etag"],
    }


def count_failures(rejects: pa.Table) -> int:
    """The number of rejects that count towards `extract.max_reject_share`: all but placeholders, which are
    no damage."""
    return sum(reason != PLACEHOLDER for reason in rejects["reason"].to_pylist())


def check_rejects(extract: ExtractConfig, rejects: pa.Table, artworks: int) -> None:
    """Log the reasons of `rejects`. Raises RejectsError for more of `artworks` than the settings allow."""
    lines = reject_lines(rejects)
    for line in lines:
        log.warning("extract: rejected %s", line)
    allowed = extract.max_reject_share
    if (damaged := count_failures(rejects)) > allowed * artworks:
        raise RejectsError(
            f"{damaged:,} of {artworks:,} artworks rejected: {'; '.join(lines)}; more than "
            f"extract.max_reject_share {allowed}; everything readable is stored: mend the images or raise the share, "
            "then run the same command again"
        )

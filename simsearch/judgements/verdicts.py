"""What people said of pairs of pictures: verdicts by content hash, only ever added to, the newest counts.

verdicts/part-<digest>.parquet
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from simsearch import schemas
from simsearch.judgements.said import WITHDRAWN, add_rows, read_rows
from simsearch.storage.keyed_parts import KeyedParts
from simsearch.storage.storage import Storage

FOLDER = "verdicts"

GIVEN = pa.schema(
    [
        pa.field("first_hash", pa.string(), nullable=False),
        pa.field("second_hash", pa.string(), nullable=False),
        pa.field("at", pa.string(), nullable=False),  # ISO 8601, UTC, to the microsecond
        pa.field("who", pa.string(), nullable=False),
        pa.field("verdict", pa.string(), nullable=False),  # a Verdict, or WITHDRAWN
    ]
)


class Verdict(StrEnum):
    """What the first of two pictures is to the second, as a person sees it."""

    SAME_SCAN = "same scan"
    SAME_OBJECT = "same object"
    DETAIL_OF = "detail of"
    COPY_AFTER = "copy after"
    SAME_SERIES = "same series"
    NOT = "not"

    @property
    def directed(self) -> bool:
        """Whether the verdict says another thing once the two pictures change places."""
        return self in (Verdict.DETAIL_OF, Verdict.COPY_AFTER)

    @property
    def same_picture(self) -> bool:
        """Whether the two are near-duplicates: neither is a miss of a network that has the other."""
        return self not in (Verdict.SAME_SERIES, Verdict.NOT)


@dataclass(frozen=True)
class Given:
    """A verdict that somebody gave at a time, ISO 8601 in UTC; None takes an earlier one back. The pictures
    are content hashes, in the order of the verdict."""

    first_hash: str
    second_hash: str
    verdict: Verdict | None
    who: str
    at: str

    @property
    def pair(self) -> tuple[str, str]:
        return pair_key(self.first_hash, self.second_hash)


def pair_key(first_hash: str, second_hash: str) -> tuple[str, str]:
    """What `read_verdicts` has the verdict of two pictures under, whichever comes first."""
    first, second = sorted((first_hash, second_hash))
    return first, second


def add_verdicts(storage: Storage, verdicts: Iterable[Given]) -> None:
    """Store verdicts beside those that are there."""
    rows = [
        {
            "first_hash": given.first_hash,
            "second_hash": given.second_hash,
            "at": given.at,
            "who": given.who,
            "verdict": given.verdict or WITHDRAWN,
        }
        for given in verdicts
    ]
    add_rows(verdict_parts(storage), pa.Table.from_pylist(rows, schema=GIVEN))


def give_verdict(
    storage: Storage, pairs: Iterable[tuple[str, str]], verdict: Verdict | None, who: str
) -> str:
    """Store one verdict, or None to take it back, for pairs of content hashes. Returns its time, which is
    later than those of the earlier verdicts of these pairs, also where another machine's clock is fast."""
    standing = read_verdicts(storage)
    pairs = list(pairs)
    earlier = [standing[key].at for pair in pairs if (key := pair_key(*pair)) in standing]
    now = datetime.now(UTC)
    if earlier:
        now = max(now, datetime.fromisoformat(max(earlier)) + timedelta(microseconds=1))
    at = text_of_time(now)
    add_verdicts(storage, [Given(*pair, verdict, who, at) for pair in pairs])
    return at


def text_of_time(time: datetime) -> str:
    """A time as verdicts have it. Their order is that of the times."""
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def read_verdicts(storage: Storage) -> dict[tuple[str, str], Given]:
    """The verdict that counts for each pair, by its two content hashes in alphabetical order. Pairs whose
    verdict was withdrawn have none. Raises DamagedError."""
    newest = {given.pair: given for given in read_history(storage)}
    return {pair: newest[pair] for pair in sorted(newest) if newest[pair].verdict is not None}


def read_history(storage: Storage) -> list[Given]:
    """All that was ever said, in the order of its times. Raises DamagedError."""
    history = [
        Given(
            row["first_hash"],
            row["second_hash"],
            Verdict(row["verdict"]) if row["verdict"] != WITHDRAWN else None,
            row["who"],
            row["at"],
        )
        for row in read_rows(verdict_parts(storage), {"verdict": {WITHDRAWN, *Verdict}})
    ]
    return sorted(history, key=lambda given: (given.at, given.who, given.verdict or WITHDRAWN))


def verdict_parts(storage: Storage) -> KeyedParts:
    return KeyedParts(storage, FOLDER, GIVEN, ("first_hash", "second_hash", "at", "who"))


def snapshot_verdicts(verdicts: Mapping[tuple[str, str], Given], hashes: pa.Array) -> pa.Table:
    """schemas.VERDICTS: the verdicts of pairs of which a snapshot has both pictures, without names and
    times, which are nobody else's business."""
    judged = pa.array(sorted({name for pair in verdicts for name in pair}), pa.string())
    present = set(judged.filter(pc.is_in(judged, value_set=hashes)).to_pylist())
    rows = [
        {
            "first_hash": given.first_hash,
            "second_hash": given.second_hash,
            "verdict": str(given.verdict),
        }
        for pair, given in verdicts.items()
        if present.issuperset(pair)
    ]
    return pa.Table.from_pylist(rows, schema=schemas.VERDICTS)


def overrule(
    pairs: npt.NDArray[np.int64], hashes: pa.Array, verdicts: pa.Table
) -> npt.NDArray[np.int64]:
    """The pairs of artworks [p, 2] that show the same picture once people were heard: without those that a
    verdict takes apart, with those that it puts together. `hashes` [n] are the artworks' pictures,
    `verdicts` is schemas.VERDICTS."""
    judged = {
        (row["first_hash"], row["second_hash"]): Verdict(row["verdict"]).same_picture
        for row in verdicts.to_pylist()
    }
    judged |= {(second, first): same for (first, second), same in judged.items()}
    texts = hashes.to_pylist()
    places: dict[str, list[int]] = {name: [] for pair in judged for name in pair}
    for place, name in enumerate(texts):
        if name in places:
            places[name].append(place)
    kept = [judged.get((texts[a], texts[b])) is not False for a, b in pairs.tolist()]
    known = {tuple(sorted(pair)) for pair in pairs.tolist()}
    added = [
        (a, b)
        for (first, second), same in judged.items()
        if same and first < second
        for a in places[first]
        for b in places[second]
        if tuple(sorted((a, b))) not in known
    ]
    return np.concatenate([pairs[np.array(kept, bool)], np.array(added, np.int64).reshape(-1, 2)])

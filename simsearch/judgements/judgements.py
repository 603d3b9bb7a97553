"""What people found more alike: answers on triplets by content hash, only ever added to, the newest counts.

judgements/part-<digest>.parquet
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import pyarrow as pa

from simsearch.errors import DamagedError, NotFoundError
from simsearch.judgements.triplets import Kind
from simsearch.storage.keyed_parts import KeyedParts
from simsearch.storage.storage import Storage

FOLDER = "judgements"
WITHDRAWN = ""  # takes an answer back
PARTS_KEPT = 50_000  # rows of a merged part
READINGS = 3  # as another process may merge the parts in the meantime

SCHEMA = pa.schema(
    [
        pa.field("at", pa.string(), nullable=False),  # ISO 8601, UTC, to the microsecond
        pa.field("who", pa.string(), nullable=False),
        pa.field("question", pa.string(), nullable=False),
        pa.field("asked", pa.string(), nullable=False),  # snapshot/seed/number
        pa.field("kind", pa.string(), nullable=False),  # a Kind
        pa.field("work_hash", pa.string(), nullable=False),
        pa.field("left_hash", pa.string(), nullable=False),
        pa.field("right_hash", pa.string(), nullable=False),
        pa.field("left_space", pa.string(), nullable=False),  # "" for a check
        pa.field("right_space", pa.string(), nullable=False),
        pa.field("left_fingerprint", pa.string(), nullable=False),
        pa.field("right_fingerprint", pa.string(), nullable=False),
        pa.field("rank", pa.int64(), nullable=False),
        pa.field("answer", pa.string(), nullable=False),  # an Answer, or WITHDRAWN
        pa.field("seconds", pa.float64()),  # null where nobody measured
    ]
)
_KEY = ("at", "who", "question", "asked", "work_hash", "left_hash", "right_hash")


class Answer(StrEnum):
    """Which of the two is more like the work in the middle."""

    LEFT = "left"
    RIGHT = "right"
    BOTH = "both"
    NEITHER = "neither"


@dataclass(frozen=True)
class Judgement:
    """An answer that somebody gave at a time. `asked` is the snapshot, the seed and the number of the
    question. `answer` is an Answer, or WITHDRAWN."""

    at: str
    who: str
    question: str
    asked: str
    kind: str
    work_hash: str
    left_hash: str
    right_hash: str
    left_space: str
    right_space: str
    left_fingerprint: str
    right_fingerprint: str
    rank: int
    answer: str
    seconds: float | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """Of several answers with the same key, the newest counts."""
        return self.who, self.question, self.asked

    @property
    def triplet(self) -> tuple[str, str, str]:
        """The pictures, whichever side they were on."""
        first, other = sorted((self.left_hash, self.right_hash))
        return self.work_hash, first, other

    @property
    def chosen(self) -> str:
        """The content hash of the picture that was chosen, or `both` or `neither`."""
        sides = {Answer.LEFT.value: self.left_hash, Answer.RIGHT.value: self.right_hash}
        return sides.get(self.answer, self.answer)


def judgement_parts(storage: Storage) -> KeyedParts:
    return KeyedParts(storage, FOLDER, SCHEMA, _KEY)


def add_judgements(storage: Storage, judgements: Iterable[Judgement]) -> None:
    """Store judgements beside those that are there."""
    parts = judgement_parts(storage)
    parts.write(pa.Table.from_pylist([asdict(judgement) for judgement in judgements], SCHEMA))
    with suppress(NotFoundError):  # another process merges the same parts
        parts.compact(PARTS_KEPT)


def read_judgements(storage: Storage) -> list[Judgement]:
    """The answers that count, in the order of their times. Raises DamagedError."""
    newest = {judgement.key: judgement for judgement in read_judgement_history(storage)}
    standing = [judgement for judgement in newest.values() if judgement.answer != WITHDRAWN]
    return sorted(standing, key=lambda judgement: (judgement.at, judgement.key))


def read_judgement_history(storage: Storage) -> list[Judgement]:
    """All answers that were ever given or withdrawn, in the order of their times. Raises DamagedError."""
    history = {Judgement(**row) for row in _rows(storage)}
    return sorted(history, key=lambda judgement: (judgement.at, judgement.key, judgement.answer))


def _rows(storage: Storage) -> list[dict[str, Any]]:
    parts = judgement_parts(storage)
    for reading in range(READINGS):
        try:
            return [row for name in parts.stored().names for row in _checked(parts, name)]
        except NotFoundError:
            if reading == READINGS - 1:
                raise
    return []


def _checked(parts: KeyedParts, name: str) -> list[dict[str, Any]]:
    """The rows of a part. Raises DamagedError for an answer that nobody can give."""
    rows: list[dict[str, Any]] = parts.read(name, SCHEMA.names).to_pylist()
    for column, known in (("answer", {WITHDRAWN, *Answer}), ("kind", {*Kind})):
        if strange := [row[column] for row in rows if row[column] not in known]:
            path, problem = f"{FOLDER}/{name}", f"{strange[0]!r} is no {column} of a judgement"
            raise DamagedError(parts.storage.root, path, problem, "restore or remove the file")
    return rows

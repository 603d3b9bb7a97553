"""What people found more alike: answers on triplets by content hash, only ever added to, the newest counts.

judgements/part-<digest>.parquet
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum

import pyarrow as pa

from simsearch.judgements.said import WITHDRAWN, add_rows, read_rows
from simsearch.judgements.triplets import Kind
from simsearch.storage.keyed_parts import KeyedParts
from simsearch.storage.storage import Storage

FOLDER = "judgements"

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
    rows = [asdict(judgement) for judgement in judgements]
    add_rows(judgement_parts(storage), pa.Table.from_pylist(rows, SCHEMA))


def read_judgements(storage: Storage) -> list[Judgement]:
    """The answers that count, in the order of their times. Raises DamagedError."""
    newest = {judgement.key: judgement for judgement in read_judgement_history(storage)}
    standing = [judgement for judgement in newest.values() if judgement.answer != WITHDRAWN]
    return sorted(standing, key=lambda judgement: (judgement.at, judgement.key))


def read_judgement_history(storage: Storage) -> list[Judgement]:
    """All answers that were ever given or withdrawn, in the order of their times. Raises DamagedError."""
    known = {"answer": {WITHDRAWN, *Answer}, "kind": {*Kind}}
    history = {Judgement(**row) for row in read_rows(judgement_parts(storage), known)}
    return sorted(history, key=lambda judgement: (judgement.at, judgement.key, judgement.answer))

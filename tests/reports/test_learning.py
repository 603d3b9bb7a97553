"""A report's part on learned spaces: escaped, counted, split by whether they saw the artwork."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import safetensors.numpy

from simsearch import schemas
from simsearch.encoders.trained import EXAMPLES, Training, store
from simsearch.features.space import FeatureSpace
from simsearch.reading.costs import add_heads, training_seconds
from simsearch.reports import figures
from simsearch.reports.learning import SplitRow, learning_of, split_rows
from simsearch.reports.loss_curves import loss_curves
from simsearch.snapshots.snapshot import Snapshot
from simsearch.storage.storage import Storage
from tests.support.report_pages import HOSTILE, page, read

WEIGHTS = b"weights"
DIGEST = hashlib.sha256(WEIGHTS).hexdigest()


def _space(name: str, **values: Any) -> FeatureSpace:
    given = {
        "encoder": "e",
        "layer": "l",
        "dimension": 4,
        "weights_source": "here",
        "weights_digest": "d",
        "trained": True,
        "preprocessing": "p",
        "mode": "eval",
        "precision": "float32",
        "background": "#ffffff",
        "perturbations": "none",
    }
    return FeatureSpace(name=name, **{**given, **values})


PLAIN = _space("plain")
HEADED = _space("headed", head="whitening", head_digest=DIGEST)


class _Plan:
    spaces = (PLAIN, HEADED)

    def space(self, name: str) -> FeatureSpace:
        return next(space for space in self.spaces if space.name == name)


class _Snapshot(Snapshot):
    """A snapshot of five artworks, two of them measured, and two spaces."""

    def plan(self) -> Any:
        return _Plan()

    def images(self) -> pa.Table:
        rows = [("a", None), ("b", None), ("c", None), ("a", "grey-3"), ("b", "flip-3")]
        return pa.Table.from_pylist(
            [
                {"image_id": f"{a}-{p}", "artwork_id": a, "profile": p, "content_hash": f"h{a}"}
                for a, p in rows
            ],
            schema=schemas.IMAGES,
        )


def _snapshot(root: Path, learned_from: list[tuple[str, str]], **values: Any) -> Snapshot:
    storage = Storage(str(root))
    given: dict[str, Any] = {
        "name": "whitening",
        "settings": {"of": {"kind": "whitening"}},
        "fitted_for": PLAIN.fingerprint,
        "dimension": 4,
        "profiles": ("grey-4",),
        "artworks": len(learned_from),
        "images": 9,
        "held_out": {"measured": 2, "same picture": 0, "near-duplicate": 1},
        "losses": ({"epoch": 1.0, "info_nce": 2.0}, {"epoch": 2.0, "info_nce": 1.0}),
        "seconds": 61.0,
        "device": "cpu",
        "data_sha256": "x",
        "weights_sha256": DIGEST,
        "code_version": "1",
        "created": "2026-11-26",
    }
    training = Training(**{**given, **values})
    rows = [{"artwork_id": a, "content_hash": h} for a, h in learned_from]
    store(storage, training, WEIGHTS, pa.Table.from_pylist(rows, schema=schemas.LEARNED_FROM))
    picture = np.zeros((2, 8, 8, 3), np.uint8)
    storage.write_bytes(
        f"{training.folder}/{EXAMPLES}",
        safetensors.numpy.save({"originals": picture, "made": picture, "between": picture}),
    )
    return _Snapshot(storage, "s")


NO_METRICS = schemas.METRICS.empty_table()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("learned_from", "seen"),
    [
        ([("c", "hc"), ("d", "hd")], 0),
        ([("a", "other")], 1),  # the artwork itself, its picture changed since
        ([("d", "hb")], 1),  # its picture under another id
        ([("a", "ha"), ("d", "hb")], 2),
    ],
)
def test_a_space_says_how_many_measured_artworks_it_saw(
    learned_from: list[tuple[str, str]], seen: int, tmp_path: Path
) -> None:
    snapshot = _snapshot(tmp_path, learned_from)
    learning, _ = learning_of(snapshot, NO_METRICS)
    assert [row.seen for row in learning.rows] == [seen]
    assert len(learning.warnings) == (1 if seen else 0)
    html = page(learning=learning)
    assert "Measured artworks seen" in html
    assert ("flatter it" in html) == bool(seen)


@pytest.mark.slow
def test_the_page_draws_each_loss_as_the_explorer_does(tmp_path: Path) -> None:
    learning, _ = learning_of(_snapshot(tmp_path, [("c", "hc")]), NO_METRICS)
    html = " ".join(page(learning=learning).split())
    drawing = str(loss_curves([{"epoch": 1, "info_nce": 2.0}, {"epoch": 2, "info_nce": 1.0}])[0][1])
    assert "2 epochs: 2 at first, 1 at the lowest, 1 at the end" in drawing
    assert f"<h4>contrast (InfoNCE)</h4> {drawing}" in html


@pytest.mark.slow
def test_examples_are_drawn_and_the_same_bytes_each_time(tmp_path: Path) -> None:
    snapshot = _snapshot(tmp_path, [("c", "hc")])
    first, second = (learning_of(snapshot, NO_METRICS)[1] for _ in range(2))
    assert [name.partition("-")[0] for name in first] == ["examples", "between"]
    for name in first:
        assert figures.save(first[name].figure) == figures.save(second[name].figure)


def test_a_head_costs_its_encoders_time_and_its_own_training(tmp_path: Path) -> None:
    snapshot = _snapshot(tmp_path, [("c", "hc")])
    row = {"fingerprint": PLAIN.fingerprint, "device": "cpu", "images": 10, "seconds": 2.0}
    timings = add_heads(pa.Table.from_pylist([row], schema=schemas.TIMINGS), snapshot)
    assert timings.to_pylist() == [row, {**row, "fingerprint": HEADED.fingerprint}]
    assert training_seconds(snapshot) == {"headed": 61.0}


def test_changes_are_split_by_what_was_learned_from_at_any_strength() -> None:
    means = {
        "all": 9.0,
        "photometric": 9.0,
        "grey-3": 0.4,
        "grey-5": 0.6,
        "flip-3": 0.2,
        "sharpen": 0.3,
    }
    rows = [
        {
            "space": "s",
            "search": "exact",
            "scope": group,
            "k": 5,
            "metric": "map",
            **dict.fromkeys(("mean", "std", "ci_low", "ci_high", "ceiling"), mean),
            "n": 1,
        }
        for group, mean in means.items()
    ]
    split = split_rows(pa.Table.from_pylist(rows, schema=schemas.METRICS), {"grey-4"})
    assert split == [SplitRow("s", seen="0.500 (2)", unseen="0.250 (2)")]


@pytest.mark.slow
def test_foreign_text_is_escaped(tmp_path: Path) -> None:
    learning, _ = learning_of(_snapshot(tmp_path, [("c", "hc")]), NO_METRICS)
    row = replace(learning.rows[0], space=HOSTILE, profiles=HOSTILE)
    html = page(learning=replace(learning, rows=[row]))
    assert "script" not in read(html).tags

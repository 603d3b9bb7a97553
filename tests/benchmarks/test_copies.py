"""The arithmetic of `copies`: what is a copy, what was found, and what a threshold would allow."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.benchmarks import copies, peers, results
from tests.benchmarks.copy_scores import (
    Pair,
    longest_precise,
    nearest_pairs,
    pair,
    score,
    true_pairs,
)
from tests.benchmarks.edits import EDITS, ORIGINAL, edit_all
from tests.benchmarks.finders import Search

NAMES = [f"{picture}.{edit}" for picture in ("a", "b") for edit in (ORIGINAL, *EDITS)]


@pytest.mark.slow
def test_every_two_edits_of_a_picture_are_a_pair() -> None:
    truth = true_pairs(reversed(NAMES))
    assert len(truth) == 2 * 15
    assert ("a.crop", "a.original") in truth
    assert all(first < second and first[0] == second[0] for first, second in truth)


def test_what_was_found_is_scored_by_hand() -> None:
    retrieved: set[Pair] = {
        pair("a.original", "a.crop"), pair("a.crop", "a.flip"), pair("b.original", "b.flip"),
        pair("b.crop", "a.crop"),
    }  # fmt: skip
    scored = score(retrieved, true_pairs(NAMES))
    assert (scored.right_pairs, scored.recall, scored.precision) == (3, 3 / 30, 3 / 4)
    assert scored.edits == {"crop": 0.5, "flip": 0.5, "upside-down": 0, "rotation": 0, "square": 0}
    assert score(set(), true_pairs(NAMES)).precision == 1


def test_pairs_are_ranked_by_cosine() -> None:
    angles = np.array([0.0, 1.0, 0.1, 2.5])
    units = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    near = nearest_pairs(units, 3)
    assert list(zip(near.rows, near.columns, strict=True)) == [(0, 2), (1, 2), (0, 1)]
    np.testing.assert_allclose(near.cosines, np.cos([0.1, 0.9, 1.0]), atol=1e-6)
    assert len(nearest_pairs(units, 100).rows) == 6


def test_a_threshold_reaches_as_far_as_its_pairs_are_right() -> None:
    right = np.array([True, False, True, True, False, False])
    assert longest_precise(right, 0.75) == 4
    assert longest_precise(right, 0.5) == 6
    assert longest_precise(right, 1.0) == 1
    assert longest_precise(~right, 0.9) == 0


def test_edits_are_as_named_and_the_same_each_time(tmp_path: Path) -> None:
    fields = np.random.default_rng(0).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    picture = fields.repeat(40, axis=0).repeat(40, axis=1)
    (tmp_path / "paintings").mkdir()
    Image.fromarray(picture).save(tmp_path / "paintings" / "a.png")
    for place in ("one", "two"):
        edit_all(tmp_path / "paintings", tmp_path / place)
    files = {path.stem: path for path in (tmp_path / "one").iterdir()}
    assert set(files) == {f"a.{edit}" for edit in (ORIGINAL, *EDITS)}
    assert all(
        path.read_bytes() == (tmp_path / "two" / path.name).read_bytes() for path in files.values()
    )
    sizes = {name: Image.open(path).size for name, path in files.items()}
    assert (sizes["a.crop"], sizes["a.square"]) == ((210, 175), (160, 160))
    assert np.array_equal(np.asarray(Image.open(files["a.original"])), picture)
    for name, turned in (("a.flip", picture[:, ::-1]), ("a.upside-down", picture[::-1])):
        apart = np.abs(np.asarray(Image.open(files[name])).astype(int) - turned)
        assert apart.mean() < 5  # JPEG's own loss; not turned, it is some 80


def test_a_peer_that_fails_is_told_and_ours_is_not_forgiven() -> None:
    def failing() -> Search:
        raise peers.PeerError("no weights")

    fine = Search(frozenset(), "", 1.0, 1.0)
    searches, failed = copies.tried({"peer": failing, "other": lambda: fine}, 2)
    assert (searches, failed) == ({"other": [fine, fine]}, {"peer": "no weights"})
    with pytest.raises(peers.PeerError, match="no weights"):
        copies.tried({"sscd_distilled": failing}, 1)


@pytest.mark.slow
def test_memory_is_that_of_all_that_a_command_started() -> None:
    hold = "import time; held = bytearray(64 * 2**20); time.sleep(1)"
    start = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hold!r}])"
    watched = peers.watched([str(peers.interpreter((3, 11))), "-c", start])
    assert 64 < watched.peak_mib < 200
    assert watched.seconds > 1


def test_a_command_that_fails_says_why() -> None:
    with pytest.raises(peers.PeerError, match="ValueError: no weights here"):
        peers.watched(
            [str(peers.interpreter((3, 11))), "-c", "raise ValueError('no weights here')"]
        )


@pytest.mark.slow
def test_a_parts_own_table_follows_the_notes() -> None:
    entry = {
        "date": "2026-11-27",
        "machine": {"cpu": "a CPU", "cores": 2, "load_before": 0.1, "commit": "abc"},
        "settings": {"pictures": 2}, "rows": [], "notes": ["A note."],
        "table": [["program", "time"], ["ours", "1 s"]],
    }  # fmt: skip
    lines = results.table({"copies": entry}).splitlines()
    assert lines[-5:] == [
        "`copies` in full:",
        "",
        "| program | time |",
        "|---|---|",
        "| ours | 1 s |",
    ]

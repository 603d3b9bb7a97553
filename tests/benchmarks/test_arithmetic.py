"""The benchmark suite's own arithmetic: ratios, turns, crossings, the README's table."""

from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks import index, measuring, pictures, planning, results
from tests.benchmarks.measuring import Comparison, Result, together

ROW = Comparison(
    "pipeline", "forward pass", "vectors/s", [9.0, 8.0, 12.0], [10.0, 10.0, 10.0], "≥ 0.92"
)


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(results, "README", tmp_path / "README.md")
    (tmp_path / "README.md").write_text(f"before\n{results.BEGIN}\nold\n{results.END}\nafter\n")
    return tmp_path


def here() -> dict[str, object]:
    return {"cpu": "a CPU", "cores": 2, "load_before": 0.1, "commit": "abc"}


@pytest.mark.slow
def test_a_ratio_is_taken_within_each_turn() -> None:
    assert measuring.ratio([9.0, 8.0, 12.0], [10.0, 16.0, 10.0]) == {
        "min": 0.5, "median": 0.9, "max": 1.2,
    }  # fmt: skip
    with pytest.raises(ValueError, match="shorter"):
        measuring.ratio([1.0, 2.0], [1.0])


@pytest.mark.slow
def test_the_peak_memory_of_a_process_is_its_own_not_that_of_its_parent() -> None:
    held = np.ones(2**29, np.uint8)
    own = planning.peak_gib()
    assert own > 0.5
    assert measuring.alone(planning.peak_gib) < own - 0.25
    assert held[-1] == 1


def test_who_goes_first_alternates() -> None:
    order: list[str] = []
    measuring.in_turn(lambda: order.append("ours"), lambda: order.append("theirs"), 3)
    assert order == ["ours", "theirs", "theirs", "ours", "ours", "theirs"]


def test_networks_after_one_another_have_the_harmonic_rate() -> None:
    assert together({"a": 4.0, "b": 12.0}) == pytest.approx(2 / (1 / 4 + 1 / 12))


def test_the_crossing_lies_between_the_sizes_around_it() -> None:
    sizes = [1_000, 10_000, 100_000]
    assert index.crossover(sizes, [10.0, 10**0.5, 10**-0.5]) == "from about 31,623 items"
    assert index.crossover(sizes, [0.9, 0.5, 0.1]) == "at every size measured (from 1,000)"
    assert index.crossover(sizes, [0.9, 0.5, 1.1]) == "at 1,000 and 10,000 only (to 100,000)"
    assert index.crossover(sizes, [1.9, 1.5, 1.1]) == "at no size measured (to 100,000)"


def test_vectors_are_seeded_and_never_negative() -> None:
    vectors = pictures.feature_like(120, 16)
    assert vectors.shape == (120, 16)
    assert vectors.min() == 0
    np.testing.assert_array_equal(vectors, pictures.feature_like(120, 16))


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.93149, "0.931"), (24.61, "24.6"), (300, "300"), (12_345.6, "12,300")],
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert results.three_digits(value) == text


def test_the_table_has_ratio_baseline_target_and_where(stored: Path) -> None:
    results.store("forward", Result({"networks": "vgg16"}, [ROW], ["A note."]), here())
    results.write_readme()
    lines = (stored / "README.md").read_text().splitlines()
    assert (lines[0], lines[-1]) == ("before", "after")
    assert "old" not in lines
    row = "| `forward` | pipeline | 9.00 vectors/s | forward pass: 10.0 | 0.900 (0.800 to 1.20, n = 3) | ≥ 0.92 |"
    assert row in lines
    (note,) = [line for line in lines if line.startswith("- `forward`")]
    assert "a CPU, 2 cores, load 0.1 before, commit abc: networks vgg16. A note." in note


def test_a_ratio_of_fewer_than_three_turns_has_no_range(stored: Path) -> None:
    two = Comparison("pipeline", "forward pass", "vectors/s", [9.0, 8.0], [10.0, 10.0], "")
    results.store("forward", Result({}, [two]), here())
    assert "| 0.850 (n = 2) |" in results.table(results.load())


def test_a_part_that_was_not_run_keeps_its_row(stored: Path) -> None:
    results.store("forward", Result({}, [ROW]), here())
    kept = results.load()["forward"]
    results.store("study", Result({}, [ROW]), here())
    assert results.load()["forward"] == kept
    assert list(results.load()) == ["forward", "study"]


def test_without_markers_the_readme_is_left_alone(stored: Path) -> None:
    (stored / "README.md").write_text("mine")
    with pytest.raises(ValueError, match="begin"):
        results.write_readme()
    assert (stored / "README.md").read_text() == "mine"


@pytest.mark.slow
def test_an_empty_result_file_says_so() -> None:
    assert results.table({}) == "Not measured yet.\n"

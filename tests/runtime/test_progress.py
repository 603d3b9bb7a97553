"""Progress lines."""

import pytest

from simsearch.runtime.progress import duration, line, progress


def test_a_line_has_count_share_rate_and_time_left() -> None:
    expected = "extract: 1,200 of 6,000 images (20 %), 24.0 images/s, 3 min 20 s left"
    assert line("extract", 1200, 6000, "images", 24.0) == expected
    assert line("extract", 0, 6000, "images", 0.0).endswith("0.0 images/s, time left unknown")
    assert "100 %" in line("index", 0, 0, "indexes", 0.0)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "0 s"), (59.4, "59 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")]
)
def test_durations_are_read_aloud(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_without_a_terminal_there_is_one_plain_line_every_few_seconds(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level("INFO"), progress("extract", 10, "images", 0.0) as advance:
        advance(4)
        advance(10)
    assert [record.message.split(",")[0] for record in caplog.records] == [
        "extract: 4 of 10 images (40 %)",
        "extract: 10 of 10 images (100 %)",
    ]


@pytest.mark.parametrize("told", [[4, 15, 3, 10], [12], [5, 0, 1]])
def test_progress_never_goes_back_nor_over_the_total(
    told: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"), progress("extract", 10, "images", 0.0) as advance:
        for done in told:
            advance(done)
    shown = [int(record.message.split()[1]) for record in caplog.records]
    assert len(shown) == len(told)
    assert shown == sorted(shown)
    assert shown[-1] == min(10, max(told))
    assert not any("-" in record.message for record in caplog.records)

"""Progress lines."""

import os
import signal

import pytest

from simsearch.progress import Pace, ProgressCounter, RemoteCounter, duration, line, progress
from tests.faults.run_job import descendants


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


def test_the_rate_leaves_start_up_out() -> None:
    assert Pace(first=16, all=96, first_ago=12.0, last_ago=2.0).rate == 8.0
    assert Pace(first=16, all=16, first_ago=2.0, last_ago=2.0).rate == 0.0


def test_a_counter_keeps_the_first_batch_and_all(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 104.0, 110.0, 111.0])
    monkeypatch.setattr("simsearch.progress.time.monotonic", lambda: next(clock))
    counter = ProgressCounter()
    assert counter.pace() is None
    for name, images in (("a", 16), ("b", 16), ("a", 8)):
        counter.timed(name, "cpu", images, 1.0)
    assert counter.pace() == Pace(first=16, all=40, first_ago=11.0, last_ago=1.0)


def test_a_killed_counter_counts_on_in_a_new_process(ray_local: None) -> None:
    counter = RemoteCounter.start()
    counter.add(3)
    assert counter.read() == 3
    (first,) = counter_processes()
    os.kill(first, signal.SIGKILL)
    counter.add(4)
    assert counter.read() in (0, 4)  # what was told while it was dead may be lost
    (second,) = counter_processes()
    assert second != first


def counter_processes() -> list[int]:
    return [pid for pid, words in descendants(os.getpid()) if "ray::ProgressCounter" in words]

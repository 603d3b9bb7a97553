"""Counting over processes."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import ray

from simsearch.extraction.counter import Pace, ProgressCounter, RemoteCounter, Vector
from tests.support.processes import descendants
from tests.support.spaces import SPACE


def test_the_rate_leaves_start_up_out() -> None:
    assert Pace(first=16, all=96, first_ago=12.0, last_ago=2.0).rate == 8.0
    assert Pace(first=16, all=16, first_ago=2.0, last_ago=2.0).rate == 0.0


def test_a_counter_keeps_the_first_batch_and_all(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 104.0, 110.0, 111.0])
    monkeypatch.setattr("simsearch.extraction.counter.time.monotonic", lambda: next(clock))
    counter = ProgressCounter(40)
    assert counter.pace() is None
    for name, images in (("a", 16), ("b", 16), ("a", 8)):
        counter.took(name, "cpu", images, 1.0)
    assert counter.pace() == Pace(first=16, all=40, first_ago=11.0, last_ago=1.0)


def test_a_vector_that_is_computed_again_counts_once() -> None:
    counter = ProgressCounter(6)
    for places in ([0, 1], [1, 2], [0, 1, 2]):
        counter.add(np.array(places))
    assert counter.read() == 3


def test_a_killed_counter_counts_on_in_a_new_process(ray_local: None) -> None:
    others = counter_processes()  # of tests before
    counter = RemoteCounter.start(9)
    counter.add(np.array([1, 3, 5]))
    assert read_once_up(counter) == 3
    (first,) = counter_processes() - others
    os.kill(first, signal.SIGKILL)
    counter.add(np.array([0, 2, 4, 6]))
    assert read_once_up(counter) in (0, 4)  # numbers added while it was dead may be lost
    (second,) = counter_processes() - others
    assert second != first


def read_once_up(counter: RemoteCounter) -> int:
    """`counter.read()`, after its process has started, which takes longer than `read` waits on a busy machine."""
    ray.get(counter.handle.pace.remote(), timeout=120)
    return counter.read()


def test_a_trial_vector_is_compared_with_the_first_of_its_space(ray_local: None) -> None:
    counter = RemoteCounter.start(1)
    first = np.array([1.0, 0.0], dtype=np.float32)

    def turned(distance: float) -> Vector:
        """`first`, turned to this distance from it (1 − cosine)."""
        angle = np.arccos(1 - distance)
        return np.array([np.cos(angle), np.sin(angle)], dtype=np.float32)

    half = replace(SPACE, precision="bfloat16")
    assert [counter.compare(space, first) for space in (SPACE, half)] == [None, None]
    assert counter.compare(SPACE, turned(5e-5)) is None
    assert counter.compare(half, turned(5e-3)) is None
    problem = counter.compare(SPACE, turned(5e-3))
    assert problem is not None
    assert f"{SPACE.fingerprint} gives the trial picture vectors 0.005 apart" in problem
    assert counter.compare(half, turned(5e-2)) is not None
    assert counter.compare(SPACE, np.full(2, np.nan, np.float32)) is not None


def test_a_file_that_nobody_finds_is_no_fault_of_a_node(ray_local: None, tmp_path: Path) -> None:
    counter = RemoteCounter.start(1)
    counter.check_absent(str(tmp_path / "gone.jpg"))
    counter.check_absent("s3://museum/gone.jpg")


def counter_processes() -> set[int]:
    return {pid for pid, words in descendants(os.getpid()) if "ray::ProgressCounter" in words}

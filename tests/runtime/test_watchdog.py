"""Nothing waits in silence, and what moves is left alone."""

from __future__ import annotations

import threading
import time
from itertools import count

import pytest

from simsearch.errors import StallError
from simsearch.runtime.cluster import ClusterState, NodeState, describe_lack, waiting_line
from simsearch.runtime.resources import Node, Request
from simsearch.runtime.watchdog import run_watched
from simsearch.settings.sections.operation import RayConfig

IMPATIENT = RayConfig(stall_warn=1, stall_fail=3)


def still() -> str:
    return "waiting: 1 × 1 GPU; the cluster has no node to work on yet"


@pytest.mark.slow
def test_a_step_in_which_nothing_moves_is_told_of_and_then_ended(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for_ever = threading.Event()
    counts: list[int] = []
    with pytest.raises(
        StallError,
        match=r"^index: nothing moved for 3 s \(ray\.stall_fail\): waiting: 1 × 1 GPU; .*",
    ) as raised:
        run_watched("index", IMPATIENT, for_ever.wait, lambda: 7, counts.append, still)
    for_ever.set()
    assert raised.value.exit_code == 1
    assert "run the same command again" in str(raised.value)
    assert set(counts) == {7}
    warnings = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert warnings[0] == f"index: nothing moved for 1 s: {still()}"
    assert len(warnings) == 2


@pytest.mark.slow
def test_a_slow_step_that_moves_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    moving = count()
    counts: list[int] = []

    def work() -> str:
        time.sleep(4)
        return "done"

    assert (
        run_watched("index", IMPATIENT, work, lambda: next(moving), counts.append, still) == "done"
    )
    assert counts == sorted(counts)
    assert not caplog.records


@pytest.mark.slow
def test_null_waits_for_ever() -> None:
    patient = RayConfig(stall_warn=1, stall_fail=None)

    def work() -> int:
        time.sleep(2.5)
        return 5

    assert run_watched("index", patient, work, lambda: 0, describe=still) == 5


def test_what_the_work_raises_is_raised() -> None:
    def work() -> None:
        raise KeyError("a defect")

    with pytest.raises(KeyError, match="a defect"):
        run_watched("index", IMPATIENT, work, lambda: 0)


def test_the_line_says_what_waits_what_it_asks_for_and_what_each_node_has_free() -> None:
    gib = 2**30
    state = ClusterState(
        nodes=(
            NodeState(Node(0, 0, 8 * gib, "10.0.0.1"), Node(0, 0, 8 * gib, "10.0.0.1")),
            NodeState(Node(2, 1, 16 * gib, "10.0.0.2"), Node(0.004, 0, 2 * gib, "10.0.0.2")),
        ),
        waiting=((Request(0.998, 0, int(2.6 * gib)), 3), (Request(0.0005, 1.0), 1)),
        infeasible=(),
        autoscales=False,
    )
    assert waiting_line(state) == (
        "waiting: 3 × 0.998 CPU, 2.6 GiB of memory, 1 × 0.0005 CPU, 1 GPU; "
        "free: 10.0.0.2: 0.004 of 2 CPU, 0 of 1 GPU, 2.0 of 16.0 GiB"
    )


def test_what_no_node_has_at_all_is_told_at_once() -> None:
    head, worker = Node(0), Node(2)
    assert describe_lack(Request(0.001, 0.25), [head, worker]).startswith(
        "waiting for 1 GPU; the cluster has none"
    )
    assert describe_lack(Request(0.001), [head]).startswith(
        "waiting for 1 CPU; the cluster has no node"
    )
    assert describe_lack(Request(0.001), [head, worker]) == ""


@pytest.mark.slow
def test_a_head_that_does_not_answer_is_told_of_and_the_wait_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def silent() -> str:
        raise RuntimeError("no answer\nfrom 10.0.0.1")

    def work() -> int:
        time.sleep(1.8)
        return 5

    assert run_watched("index", IMPATIENT, work, lambda: 0, describe=silent) == 5
    (warning,) = [record.message for record in caplog.records]
    assert warning.endswith("the cluster's head does not answer (no answer from 10.0.0.1)")

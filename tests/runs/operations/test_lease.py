"""The lease: one holder at a time, dead ones replaced, sleepers fenced off."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import pytest

from simsearch.errors import LeaseError, StorageError
from simsearch.runs.operations import lease
from simsearch.runs.operations.lease import LeaseRecord, hold_lease
from simsearch.settings.sections.operation import LeaseConfig
from simsearch.snapshots.garbage import Garbage, remove
from simsearch.snapshots.published import LATEST
from simsearch.storage.storage import Storage
from tests.support.leases import write_foreign
from tests.support.places import Place

CONFIG = LeaseConfig(seconds=3)
HOLD = """
import sys, time
from simsearch.settings.config import LeaseConfig
from simsearch.runs.operations.lease import hold_lease
from simsearch.storage.storage import Storage
with hold_lease(Storage(sys.argv[1]), LeaseConfig(seconds=int(sys.argv[2]))):
    print("held", flush=True)
    time.sleep(60)
"""


def stored(storage: Storage) -> LeaseRecord:
    return LeaseRecord.parse(storage.read_bytes(lease.PATH), storage.root)


def test_a_held_root_refuses_a_second_holder_and_names_the_first(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    write_foreign(storage)
    with (
        pytest.raises(LeaseError, match=r"another run is active \(elsewhere, process 1"),
        hold_lease(storage, CONFIG),
    ):
        pass
    assert stored(storage).token == 7


def test_two_runs_of_one_process_do_not_share_a_lease(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))

    def start() -> str:
        try:
            with hold_lease(storage, CONFIG):
                return "held"
        except LeaseError as error:
            return str(error)

    with hold_lease(storage, CONFIG), ThreadPoolExecutor(1) as pool:
        assert "another run is active" in pool.submit(start).result()
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(start).result() == "held"


def test_a_released_lease_goes_to_the_next_with_a_higher_token(place: Place) -> None:
    storage = Storage(place.root, place.config)
    tokens = []
    for _ in range(3):
        with hold_lease(storage, CONFIG) as mine:
            tokens.append(mine.token)
            with hold_lease(storage, CONFIG) as same:
                assert same is mine
        assert stored(storage).holder is None
    assert tokens == [1, 2, 3]


@pytest.mark.parametrize(("latest", "token"), [({"fencing_token": 41}, 42), ({}, 1)])
def test_without_a_lease_tokens_go_on_from_the_published_one(
    tmp_path: Path, latest: dict[str, object], token: int
) -> None:
    """Tokens from 1 on would let nothing be published until they exceed 41. The second pointer is damaged."""
    storage = Storage(str(tmp_path))
    storage.write_json(LATEST, {"snapshot_id": "0" * 16, "withdrawn": [], **latest})
    with hold_lease(storage, CONFIG) as mine:
        assert mine.token == token


@pytest.mark.parametrize(
    "changes", [{"expires": "x"}, {"expires": 1e300}, {"token": "7"}, {"pid": None}, {"more": 1}]
)
def test_a_lease_with_values_of_other_kinds_is_one_line(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    storage = Storage(str(tmp_path))
    storage.write_json(lease.PATH, {**asdict(write_foreign(storage)), **changes})
    with pytest.raises(StorageError, match="LEASE: not a lease "), hold_lease(storage, CONFIG):
        pass


@pytest.mark.slow
def test_garbage_stays_once_another_run_has_begun(tmp_path: Path) -> None:
    """A collection that slept while its lease expired."""
    storage = Storage(str(tmp_path))
    for name in ("a", "b"):
        storage.write_bytes(name, b"")

    def found() -> Iterator[Garbage]:
        yield Garbage("a", 0, "")
        write_foreign(storage)
        time.sleep(CONFIG.seconds / lease.RENEWALS_PER_TERM + 0.2)
        yield Garbage("b", 0, "")

    with hold_lease(storage, CONFIG) as mine, pytest.raises(LeaseError, match="has taken over"):
        remove(storage, found(), mine.confirm)
    assert not storage.exists("a")
    assert storage.exists("b")


@pytest.mark.slow
def test_a_dead_holder_whose_clock_was_ahead_does_not_hold_for_ever(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    write_foreign(storage, expires=time.time() + 3600, term=1)
    with hold_lease(storage, LeaseConfig(seconds=3, wait=10)) as mine:
        assert mine.token == 8


@pytest.mark.slow
def test_a_holder_whose_clock_is_ahead_keeps_what_it_renews(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    write_foreign(storage, expires=time.time() + 3600, term=1)
    done = threading.Event()

    def renew() -> None:
        while not done.wait(0.3):
            write_foreign(storage, expires=time.time() + 3600, term=1)

    thread = threading.Thread(target=renew)
    thread.start()
    try:
        with pytest.raises(LeaseError), hold_lease(storage, LeaseConfig(seconds=3, wait=3)):
            pass
    finally:
        done.set()
        thread.join()


def test_an_expired_lease_is_taken_over(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    write_foreign(storage, expires=time.time() - 1)
    with hold_lease(storage, CONFIG) as mine:
        assert mine.token == 8


@pytest.mark.slow
def test_waiting_ends_when_the_lease_expires(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    write_foreign(storage, expires=time.time() + 1)
    with hold_lease(storage, LeaseConfig(seconds=3, wait=20)) as mine:
        assert mine.token == 8


@pytest.mark.slow
def test_a_killed_holder_on_the_same_machine_is_replaced_at_once(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path / "root"))
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, storage.root, "600"], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(LeaseError, match=f"process {holder.pid}"), hold_lease(storage, CONFIG):
        pass
    holder.kill()
    holder.wait()
    with hold_lease(storage, CONFIG) as mine:
        assert mine.token == 2


@pytest.mark.slow
def test_a_holder_renews_for_as_long_as_it_lives(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    with hold_lease(storage, CONFIG):
        first = stored(storage).expires
        deadline = time.monotonic() + 10
        while stored(storage).expires <= first:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_a_sleeper_notices_that_it_was_overtaken(place: Place) -> None:
    storage = Storage(place.root, place.config)
    with hold_lease(storage, CONFIG) as mine:
        mine.check()
        write_foreign(storage, token=mine.token + 1)
        with pytest.raises(LeaseError, match="another run has taken over"):
            mine.check()
    assert stored(storage).host == "elsewhere"  # not released by the one that lost it


def test_of_many_that_start_at_once_one_gets_it(place: Place) -> None:
    storage = Storage(place.root, place.config)
    barrier = threading.Barrier(4)

    def start(_: int) -> bool:
        barrier.wait()
        try:
            lease._acquire(storage, CONFIG)
        except LeaseError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(start, range(4))) == [False, False, False, True]


def test_a_store_without_conditional_puts_is_said_aloud_and_the_last_writer_wins(
    s3_place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """All our servers have conditional puts, so the test writes without the condition."""
    storage = Storage(s3_place.root, s3_place.config)
    monkeypatch.setattr(lease, "SETTLE_SECONDS", 0.1)

    def careless(self: Storage, path: str, data: bytes, expected: str | None) -> str:
        self.write_bytes(path, data)
        return self.read_versioned(path)[1]

    monkeypatch.setattr(Storage, "replace", careless)
    with hold_lease(storage, CONFIG) as mine:
        assert "NO CONDITIONAL PUT" in caplog.text
        write_foreign(storage, token=mine.token + 1)
        with pytest.raises(LeaseError, match="another run has taken over"):
            mine.check()


def test_a_lease_is_plain_json(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    record = write_foreign(storage)
    assert json.loads(storage.read_bytes(lease.PATH)) == asdict(record)

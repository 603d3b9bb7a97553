"""A shard ends when it is full or a minute old, and a killed run keeps what it computed before that."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simsearch.extraction.gathering import LONGEST_SECONDS, gather
from simsearch.features.store import read_keys
from simsearch.storage.storage import Storage
from tests.support.spaces import SPACE

IMAGES = 40

# A run of a network that takes a tenth of a second an image, whose minute lasts no time.
SLOW_RUN = """
import sys, time
from functools import partial
import numpy as np
import pyarrow as pa
from simsearch.extraction import gathering, in_process
from simsearch.extraction.counter import LocalCounter
from simsearch.extraction.stages import Stages
from simsearch.extraction.write import write_batch
from simsearch.storage.storage import Storage
from tests.support.spaces import SPACE, rows

class Slow:
    def __call__(self, batch):
        time.sleep(0.1 * len(batch["image_id"]))
        vectors = np.ones((len(batch["image_id"]), SPACE.dimension), np.float32)
        return {**batch, "vector_0": vectors, "need": np.ones((len(vectors), 1), bool)}

gathering.LONGEST_SECONDS = 0.0
in_process.StoredEmbed = Slow
names = [f"{number:02}" for number in range(int(sys.argv[2]))]
table = rows(names).set_column(2, "profile", pa.array([""] * len(names)))
write = partial(write_batch, storage=Storage(sys.argv[1]), spaces=[SPACE],
                counter=LocalCounter(len(names)), made_by="this installation")
in_process.run_in_process(Stages([table], dict, {}, write, 2, 1536))
"""


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 90)), max_size=40), st.integers(1, 20))
def test_a_group_is_full_or_a_minute_old(items: list[tuple[int, int]], most: int) -> None:
    now = 0.0

    def arrive() -> Iterator[tuple[int, int]]:
        nonlocal now
        for rows, seconds in items:
            now += seconds
            yield rows, seconds

    ends = [0.0]
    groups = []
    for group in gather(arrive(), lambda item: item[0], most, lambda: now):
        groups.append(group)
        waited = now - ends[-1]
        ends.append(now)
        rows = sum(rows for rows, _ in group)
        assert rows <= most or len(group) == 1
        # It waits a minute and what its last item takes to come, or what the next one takes.
        assert waited < LONGEST_SECONDS + 90
    assert [item for group in groups for item in group] == items
    for group, following in itertools.pairwise(groups):
        late = sum(seconds for _, seconds in group) >= LONGEST_SECONDS - 90
        assert late or sum(rows for rows, _ in [*group, following[0]]) > most


@pytest.mark.slow
def test_a_killed_run_keeps_the_vectors_of_all_but_the_last_minute(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path / "root"))
    log = tmp_path / "log"
    command = [sys.executable, "-c", SLOW_RUN, storage.root, str(IMAGES)]
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file)
        deadline = time.monotonic() + 100
        while len(storage.files("features")) < 5:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
    stored = read_keys(storage, SPACE)
    assert 10 <= stored.distinct < IMAGES
    assert stored.rows.tolist() == [2] * len(stored.shards)

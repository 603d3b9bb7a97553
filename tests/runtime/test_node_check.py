"""A process that differs from the driver is refused before it works, and the driver's error names it. Whole
nodes with other code, or without the files, are drills: tests/runs/test_unlike_nodes.py."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray

from simsearch.runtime import node_check
from simsearch.runtime.installation import CODE, describe_own_installation
from simsearch.runtime.node_check import check_nodes, refusal
from simsearch.runtime.ray_session import start_ray

pytestmark = pytest.mark.ray

SECONDS = 300
OTHER = "01234567"


@pytest.fixture(scope="module")
def unlike() -> Iterator[None]:
    """Ray in this process, which says that it has other code than it has: so Ray's processes differ from
    their driver."""
    driver = {**describe_own_installation(), CODE: OTHER}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(node_check, "describe_own_installation", lambda: driver)
        with check_nodes({}) as environment:
            start_ray(num_cpus=1, runtime_env=environment)
            yield


def _work() -> None:
    """Do nothing, as a Ray task."""


def test_a_process_with_other_code_is_refused_and_named(unlike: None) -> None:
    remote: Any = ray.remote
    result = remote(_work).options(max_retries=-1).remote()
    deadline = time.monotonic() + SECONDS
    while (error := refusal()) is None:
        assert time.monotonic() < deadline
        assert ray.wait([result], timeout=0.2)[0] == []
    assert str(error).startswith("node ")
    differs = (
        f" has {CODE} {describe_own_installation()[CODE]} (the driver has {OTHER}): all nodes "
    )
    assert differs in str(error)


def test_an_equal_process_that_sees_the_files_has_no_fault(unlike: None, tmp_path: Path) -> None:
    own, mark = describe_own_installation(), tmp_path / "mark"
    mark.write_text("the root of this run")
    assert node_check._problem(own, {str(mark): "the root of this run"}) == ""
    for path, text in ((mark, "another root"), (tmp_path / "none", "")):
        problem = node_check._problem(own, {str(path): text})
        assert problem.startswith(f"does not see {path} as the driver does: share its folder")

"""Let only processes with the run's own installation work for a run.

Ray runs a hook in each process that it starts for a run, before the first task, also on nodes that join
later. The hook compares the process's installation with the driver's, and checks that the process sees the
files of a root on disk. A process that differs leaves a line in the cluster's store and ends, so that its
results are never mixed with others. The driver reads the line and ends the run.

The hook is pickled by value, with the functions that it calls: its node may have another simsearch.
"""

from __future__ import annotations

import importlib
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
from ray import cloudpickle

from simsearch.errors import NodeError
from simsearch.runtime import installation as installations
from simsearch.runtime.installation import (
    MOST_NAMED,
    describe_differences,
    describe_installation,
    describe_own_installation,
)

NAMESPACE = b"simsearch"
STORE_SECONDS = 10.0  # for one request to the cluster's store
WAIT_SECONDS = (
    60.0  # that a refused process waits for the end of the run: Ray reports its death at length
)

_runs: list[bytes] = []  # the keys of the runs whose nodes are checked, of this process


@contextmanager
def check_nodes(files: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """A runtime environment for a connection to a cluster, in which every process is checked. `files` are
    paths that all nodes have to see, with a text that each file contains."""
    key = f"refused:{uuid.uuid4().hex}:".encode()
    modules = (installations, sys.modules[__name__])
    hook = _hook(describe_own_installation(), dict(files), key)
    for module in modules:
        cloudpickle.register_pickle_by_value(module)
    _runs.append(key)
    try:
        yield {"worker_process_setup_hook": hook}
    finally:
        _runs.remove(key)
        for module in modules:
            cloudpickle.unregister_pickle_by_value(module)


def refusal() -> NodeError | None:
    """The error that names the nodes which were refused so far. None if none was refused, or if the
    cluster's head does not answer."""
    lines = [line for key in _runs for line in _read_lines(key)]
    if not lines:
        return None
    more = f"; and {len(lines) - MOST_NAMED} more nodes" if len(lines) > MOST_NAMED else ""
    return NodeError(
        f"{'; '.join(lines[:MOST_NAMED])}{more}; nothing was computed there; "
        "mend or remove the node, then run the same command again"
    )


def _read_lines(key: bytes) -> list[str]:
    try:
        worker: Any = ray._private.worker.global_worker
        store = worker.gcs_client
        keys = store.internal_kv_keys(key, NAMESPACE, timeout=STORE_SECONDS)
        values = [store.internal_kv_get(name, NAMESPACE, timeout=STORE_SECONDS) for name in keys]
    except Exception:  # noqa: BLE001 - the wait for the work itself reports a fault of the head
        return []
    return sorted(value.decode() for value in values if value)


def _hook(here: Mapping[str, str], files: Mapping[str, str], key: bytes) -> Callable[[], None]:
    def refuse_another_installation() -> None:
        if not (problem := _problem(here, files)):
            return
        worker: Any = ray._private.worker.global_worker
        node = f"{ray.util.get_node_ip_address()} ({worker.current_node_id.hex()[:8]})"
        worker.gcs_client.internal_kv_put(
            key + worker.current_node_id.binary(),
            f"node {node} {problem}".encode(),
            True,
            NAMESPACE,
            timeout=STORE_SECONDS,
        )
        time.sleep(WAIT_SECONDS)
        raise RuntimeError(problem)

    return refuse_another_installation


def _take_the_drivers_paths() -> None:
    """Put the driver's folders before this process's own, as Ray does only at the first task. They decide
    which simsearch is imported. It is imported here, so that the compared code is the code that will run."""
    worker: Any = ray._private.worker.global_worker
    for path in worker.core_worker.get_job_config().py_driver_sys_path:
        if path not in sys.path:
            sys.path.insert(0, path)
    if importlib.util.find_spec("simsearch") is not None:
        importlib.import_module("simsearch")


def _problem(here: Mapping[str, str], files: Mapping[str, str]) -> str:
    """The fault of this process, in words. Empty if there is none."""
    try:
        _take_the_drivers_paths()
        unlike = describe_differences(describe_installation(), here)
    except Exception as error:  # noqa: BLE001 - a process that cannot be checked must not work either
        return f"cannot be checked ({type(error).__name__}: {error}): all nodes need the driver's image"
    if unlike:
        return f"has {unlike}: all nodes need the driver's image"
    unseen = [path for path, text in files.items() if not _contains(path, text)]
    if unseen:
        return f"does not see {unseen[0]} as the driver does: share its folder among all nodes"
    return ""


def _contains(path: str, text: str) -> bool:
    """Whether a file contains a text. Tries again, as a network file system may be a moment late."""
    for wait in (0.0, 0.5, 2.0):
        time.sleep(wait)
        try:
            if text in Path(path).read_text(errors="replace"):
                return True
        except OSError:
            continue
    return False

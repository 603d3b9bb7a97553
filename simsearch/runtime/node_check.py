"""No process of a cluster works for a run unless it has the run's own installation.

Ray runs a hook in each process that it starts for a run, before the first task, on nodes that join
later as well. The hook compares what is installed there with what the driver has, and looks whether the
files of a root on disk are there. A process that differs leaves a line in the cluster's store and ends,
so that nothing it would compute is ever mixed with the rest; the driver reads the line and ends the run.

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
    describe_installation,
    differences,
    own_installation,
)

NAMESPACE = b"simsearch"
STORE_SECONDS = 10.0  # for one question to the cluster's store
WAIT_SECONDS = 60.0  # in which the run ends: Ray reports a process that dies before at length

_runs: list[bytes] = []  # the keys of the runs whose nodes are checked, of this process


@contextmanager
def checked_nodes(files: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The runtime environment to connect to a cluster with, in which every process is checked. `files`:
    paths that all nodes have to see, and a text that each file holds."""
    key = f"refused:{uuid.uuid4().hex}:".encode()
    modules = (installations, sys.modules[__name__])
    hook = _hook(own_installation(), dict(files), key)
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
    """The error that names the nodes which were refused so far; None where all are right, and where the
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
    except Exception:  # noqa: BLE001 - whatever is wrong with the head is raised where work is waited for
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
    """Ray puts the driver's folders before this process's own at its first task only. They decide which
    simsearch is imported: it is imported here, so that what is compared is what will work."""
    worker: Any = ray._private.worker.global_worker
    for path in worker.core_worker.get_job_config().py_driver_sys_path:
        if path not in sys.path:
            sys.path.insert(0, path)
    if importlib.util.find_spec("simsearch") is not None:
        importlib.import_module("simsearch")


def _problem(here: Mapping[str, str], files: Mapping[str, str]) -> str:
    """What is wrong with this process, in words; empty where nothing is."""
    try:
        _take_the_drivers_paths()
        unlike = differences(describe_installation(), here)
    except Exception as error:  # noqa: BLE001 - a process that cannot be checked must not work either
        return f"cannot be checked ({type(error).__name__}: {error}): all nodes need the driver's image"
    if unlike:
        return f"has {unlike}: all nodes need the driver's image"
    unseen = [path for path, text in files.items() if not _holds(path, text)]
    if unseen:
        return f"does not see {unseen[0]} as the driver does: share its folder among all nodes"
    return ""


def _holds(path: str, text: str) -> bool:
    """Whether a file holds a text. Looked for again, as a network's file system may be a moment late."""
    for wait in (0.0, 0.5, 2.0):
        time.sleep(wait)
        try:
            if text in Path(path).read_text(errors="replace"):
                return True
        except OSError:
            continue
    return False

"""The choice of the device on which networks run, logged with its reason."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import ray

from simsearch.errors import UsageError
from simsearch.extraction.placement import Device
from simsearch.runtime.cluster import (
    ClusterState,
    cluster_nodes,
    cluster_state,
    declared_gpus,
    describe_lack,
    waiting_line,
)
from simsearch.runtime.resources import GPU_SHARE, TASKS, Request, task_options
from simsearch.runtime.watchdog import wait_for
from simsearch.settings.config import Config

log = logging.getLogger(__name__)

# Every 5 s, an autoscaler looks at waiting tasks and reports those for which it can start no node.
AUTOSCALER_SECONDS = 20.0


def choose_device(config: Config) -> Device:
    """`cuda` or `cpu`, with the reason in the log. Returns once the cluster has a node to work on.

    Raises UsageError for `cuda` if Ray runs inside this process and sees no GPU, and StallError if no node
    comes for `ray.stall_fail` seconds.
    """
    device, reason = _decide(config)
    log.info("extract: on %s: %s", "GPUs" if device == "cuda" else "CPUs", reason)
    request = Request(TASKS["arrive"].cpus, GPU_SHARE if device == "cuda" else 0.0)

    def describe() -> str:
        return describe_lack(request, cluster_nodes()) or waiting_line(cluster_state())

    if missing := describe_lack(request, cluster_nodes()):
        log.warning("extract: %s", missing)
    wait_for("extract", config.ray, _ask(device), describe)
    return device


def _decide(config: Config) -> tuple[Device, str]:
    setting = config.extract.device
    if setting == "cpu":
        return "cpu", "extract.device is cpu"
    gpus = sum(node.gpus for node in cluster_nodes())
    if gpus:
        return "cuda", f"the cluster has {gpus:g}"
    here = config.ray.cluster is None
    if setting == "cuda":
        if here:
            raise UsageError(
                "extract.device: cuda, and Ray sees no GPU on this machine; name a cluster in ray.address, "
                "or set extract.device to auto or cpu"
            )
        return "cuda", "extract.device is cuda"
    if here:
        return "cpu", "this machine has no GPU that Ray sees"
    return _decide_for_autoscaler()


def _decide_for_autoscaler() -> tuple[Device, str]:
    """The device, with the reason in words, for a cluster that has no GPU now."""
    declared = declared_gpus()
    if declared is not None:
        if declared:
            return "cuda", "the cluster has none yet, its configuration names some"
        return "cpu", "the cluster's configuration names no GPU"
    if not cluster_state().autoscales:
        return "cpu", (
            "the cluster has no GPU, and no autoscaler that says whether some may come; "
            "extract.device=cuda waits for them"
        )
    if _can_start_gpus():
        return "cuda", "the cluster has none yet, its autoscaler can start some"
    return "cpu", "the cluster has no GPU and its autoscaler can start none"


def _can_start_gpus() -> bool:
    """Whether the autoscaler can start a node with a GPU. Asks for a share of a GPU and waits for the
    autoscaler's answer."""
    reference = _ask("cuda")
    try:
        refused = _wait_until(
            AUTOSCALER_SECONDS,
            lambda state: any(request.gpus for request in state.infeasible),
        )
    finally:
        ray.cancel(reference, force=True)
    return not refused


def _wait_until(seconds: float, holds: Callable[[ClusterState], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds(cluster_state()):
            return True
        time.sleep(1.0)
    return False


def _ask(device: Device) -> ray.ObjectRef[None]:
    remote: Any = ray.remote
    reference: ray.ObjectRef[None] = (
        remote(_arrive).options(**task_options("arrive", gpu=device == "cuda")).remote()
    )
    return reference


def _arrive() -> None:
    """Do nothing. As a Ray task it ends as soon as there is a node to run on."""

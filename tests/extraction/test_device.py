"""The device is decided by what the cluster has and can become, and the reason is told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import ray

from simsearch.errors import UsageError
from simsearch.extraction import device
from simsearch.extraction.device import choose_device
from simsearch.runtime.cluster import ClusterState
from simsearch.runtime.resources import Node, Request
from simsearch.settings.config import Config, load_config
from tests.support.processes import free_port
from tests.support.ray_cluster import ray_cluster

HEAD_ID = "fffffffffffffffffffffffffffffffffffffffffffffffffff00000"

CHOOSE = """
import logging, sys
from simsearch.settings.config import load_config
from simsearch.extraction.device import choose_device
from simsearch.runtime.ray_session import ray_session
logging.basicConfig(level=logging.INFO, format="%(message)s")
config = load_config(None, sys.argv[1:])
with ray_session(config.ray):
    print("chosen:", choose_device(config), flush=True)
"""


def autoscaling(groups: dict[str, dict[str, int]], port: int) -> dict[str, Any]:
    """A cluster of Ray's own stand-in for a cloud, whose nodes are processes of this machine."""
    kinds = {
        name: {"resources": resources, "node_config": {}, "min_workers": 0, "max_workers": 1}
        for name, resources in groups.items()
    }
    head = {"resources": {"CPU": 0}, "node_config": {}, "max_workers": 0}
    return {
        "cluster_name": "tests",
        "max_workers": 4,
        "idle_timeout_minutes": 5,
        "upscaling_speed": 1.0,
        "provider": {
            "type": "external",
            "module": "ray.autoscaler._private.fake_multi_node.node_provider.FakeMultiNodeProvider",
            "launch_multiple": True,
            "head_node_id": HEAD_ID,
            "gcs_address": f"127.0.0.1:{port}",
        },
        "auth": {"ssh_user": "nobody"},
        "available_node_types": {**kinds, "ray.head.default": head},
        "head_node_type": "ray.head.default",
        "file_mounts": {},
        "cluster_synced_files": [],
        "file_mounts_sync_continuously": False,
        "rsync_exclude": [],
        "rsync_filter": [],
        "initialization_commands": [],
        "setup_commands": [],
        "head_setup_commands": [],
        "worker_setup_commands": [],
        "head_start_ray_commands": [],
        "worker_start_ray_commands": [],
    }


@pytest.mark.ray
@pytest.mark.drill  # the autoscaler starts a second node
@pytest.mark.parametrize(
    ("groups", "chosen", "reason"),
    [
        (
            {"small": {"CPU": 1}, "gpus": {"CPU": 1, "GPU": 1}},
            "cuda",
            "on GPUs: the cluster has none yet, its autoscaler can start some",
        ),
        (
            {"small": {"CPU": 1}},
            "cpu",
            "on CPUs: the cluster has no GPU and its autoscaler can start none",
        ),
    ],
)
def test_auto_sees_what_an_autoscaling_cluster_can_become(
    groups: dict[str, dict[str, int]],
    chosen: str,
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The cluster has no worker when it is asked; one comes, of the group that is needed."""
    settings = tmp_path / "cluster.json"
    port = free_port()
    settings.write_text(json.dumps(autoscaling(groups, port)))
    for name, value in {
        "AUTOSCALER_UPDATE_INTERVAL_S": "1",
        "RAY_FAKE_CLUSTER": "1",
        "RAY_enable_autoscaler_v2": "1",
        "RAY_CLOUD_INSTANCE_ID": HEAD_ID,
        "RAY_OVERRIDE_NODE_ID_FOR_TESTING": HEAD_ID,
    }.items():
        monkeypatch.setenv(name, value)
    with ray_cluster(f"--autoscaling-config={settings}", cpus=0, port=port) as cluster:
        done = subprocess.run(
            [sys.executable, "-c", CHOOSE, f"ray.address={cluster.address}", "ray.stall_fail=400"],
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )
    assert f"chosen: {chosen}" in done.stdout, done.stdout + done.stderr
    assert reason in done.stderr


def config(device_setting: str, address: str | None) -> Config:
    given = [f"extract.device={device_setting}"]
    return load_config(None, [*given, *([f"ray.address={address}"] if address else [])])


@pytest.mark.parametrize(
    ("setting", "gpus", "declared", "chosen"),
    [
        ("auto", 2, None, "cuda"),
        ("auto", 0, 4, "cuda"),
        ("auto", 0, 0, "cpu"),
        ("cpu", 2, 4, "cpu"),
        ("cuda", 0, 0, "cuda"),
    ],
)
def test_what_the_cluster_has_or_declares_decides(
    setting: str, gpus: int, declared: int | None, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "cluster_nodes", lambda: [Node(0), Node(8, gpus)])
    monkeypatch.setattr(device, "declared_gpus", lambda: declared)
    decided, reason = device._decide(config(setting, "head:6379"))
    assert decided == chosen
    assert reason


@pytest.mark.slow
@pytest.mark.parametrize(
    ("autoscales", "refused", "chosen", "words"),
    [
        (False, [], "cpu", "no autoscaler that says whether some may come"),
        (True, [Request(0.1)], "cuda", "its autoscaler can start some"),
        (True, [Request(0.1), Request(0.1, gpus=0.25)], "cpu", "its autoscaler can start none"),
    ],
)
def test_without_a_declaration_the_autoscalers_answer_decides(
    autoscales: bool,
    refused: list[Request],
    chosen: str,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its answer is given here; that of a real autoscaler is a drill."""
    state = ClusterState((), (), tuple(refused), autoscales)
    withdrawn: list[object] = []
    monkeypatch.setattr(device, "cluster_nodes", lambda: [Node(8)])
    monkeypatch.setattr(device, "declared_gpus", lambda: None)
    monkeypatch.setattr(device, "cluster_state", lambda: state)
    monkeypatch.setattr(device, "AUTOSCALER_SECONDS", 0.01)
    monkeypatch.setattr(device, "_ask", lambda device: f"a request for {device}")
    monkeypatch.setattr(ray, "cancel", lambda asked, **_: withdrawn.append(asked))
    decided, reason = device._decide(config("auto", "head:6379"))
    assert decided == chosen
    assert words in reason
    assert withdrawn == ["a request for cuda"] * autoscales


def test_cuda_on_a_machine_without_a_gpu_is_refused_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(device, "cluster_nodes", lambda: [Node(2)])
    with pytest.raises(
        UsageError, match=r"extract\.device: cuda, and Ray sees no GPU on this machine"
    ):
        choose_device(config("cuda", None))

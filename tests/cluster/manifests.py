"""The overlays as `kubectl apply -k` would send them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

CLUSTER = Path(__file__).parents[2] / "cluster"
OVERLAYS = ("cpu", "gpu", "autoscaling", "spot", "rayjob")

Manifest = dict[str, Any]


def rendered(overlay: str) -> list[Manifest]:
    """Skips the test where kustomize is not at hand; fails it in CI."""
    folder = str(CLUSTER / "overlays" / overlay)
    if kustomize := shutil.which("kustomize"):
        command = [kustomize, "build", folder]
    elif kubectl := shutil.which("kubectl"):
        command = [kubectl, "kustomize", folder]
    else:
        reason = "neither kustomize nor kubectl (1.27 or later) on the PATH"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def only(manifests: list[Manifest], kind: str) -> Manifest:
    (manifest,) = [manifest for manifest in manifests if manifest["kind"] == kind]
    return manifest


def cluster_spec(manifests: list[Manifest]) -> Manifest:
    """The RayCluster's, or that of the RayJob's own cluster."""
    for manifest in manifests:
        if manifest["kind"] == "RayCluster":
            spec: Manifest = manifest["spec"]
            return spec
    job: Manifest = only(manifests, "RayJob")["spec"]["rayClusterSpec"]
    return job


def groups(spec: Manifest) -> dict[str, Manifest]:
    """The head's group and each worker group, by name."""
    return {
        "head": spec["headGroupSpec"],
        **{group["groupName"]: group for group in spec["workerGroupSpecs"]},
    }


def pods(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """The name and pod template of all that would run."""
    for name, group in groups(cluster_spec(manifests)).items():
        yield name, group["template"]
    for manifest in manifests:
        if manifest["kind"] == "CronJob":
            yield "submitter", manifest["spec"]["jobTemplate"]["spec"]["template"]

"""The manifests as kustomize renders them, checked against KubeRay's and Kubernetes' own schemas."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import kubernetes_validate
import pytest

from simsearch.errors import SimsearchError, UsageError
from simsearch.runs.operations.submission import STOPPED
from tests.cluster.manifests import (
    CLUSTER,
    OVERLAYS,
    Manifest,
    cluster_spec,
    groups,
    only,
    pods,
    rendered,
)
from tests.support.places import SHARED

KUBERNETES = ("1.27", "1.32", "1.37")
UNITS = {"Mi": 2**20, "Gi": 2**30}


@pytest.fixture(scope="module", params=OVERLAYS)
def overlay(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def manifests(overlay: str) -> list[Manifest]:
    return rendered(overlay)


def kuberay_schema(kind: str) -> Any:
    path = SHARED / "kuberay" / f"{kind}.v1.schema.json"
    if not path.exists():
        pytest.skip(f"no schema of KubeRay's at {path}")
    return strict(json.loads(path.read_text()))


def strict(schema: Any) -> Any:
    """The schema with every unknown field refused; Kubernetes would drop it without a word."""
    if isinstance(schema, list):
        return [strict(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: strict(inner) for key, inner in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed


def size(quantity: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(Mi|Gi)", quantity).groups()  # type: ignore[union-attr]
    return int(number) * UNITS[unit]


@pytest.mark.slow
def test_ray_manifests_fit_kuberays_schemas(manifests: list[Manifest]) -> None:
    checked = [manifest for manifest in manifests if manifest["kind"].startswith("Ray")]
    assert checked
    for manifest in checked:
        jsonschema.Draft202012Validator(kuberay_schema(manifest["kind"])).validate(
            {key: value for key, value in manifest.items() if key != "metadata"}
        )


@pytest.mark.slow
def test_a_misspelt_field_is_found() -> None:
    manifest = only(rendered("gpu"), "RayCluster")
    del manifest["metadata"]
    manifest["spec"]["workerGroupSpecs"][1]["template"]["spec"]["nodeSelectors"] = {}
    with pytest.raises(jsonschema.ValidationError, match="nodeSelectors"):
        jsonschema.Draft202012Validator(kuberay_schema("RayCluster")).validate(manifest)


@pytest.mark.slow
@pytest.mark.parametrize("version", KUBERNETES)
def test_pods_and_the_nightly_job_fit_kubernetes_own_schemas(
    manifests: list[Manifest], version: str
) -> None:
    for name, template in pods(manifests):
        whole = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": name}}
        kubernetes_validate.validate({**whole, "template": template}, version, strict=True)
    for manifest in manifests:
        if manifest["kind"] in ("CronJob", "NetworkPolicy", "PodDisruptionBudget"):
            kubernetes_validate.validate(manifest, version, strict=True)


def test_the_head_runs_no_task_and_every_node_asks_for_the_same_token(
    manifests: list[Manifest],
) -> None:
    spec = cluster_spec(manifests)
    assert spec["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    assert spec["authOptions"] == {"mode": "token", "secretName": "simsearch-token"}
    for name, template in pods(manifests):
        if name == "submitter":
            (container,) = template["spec"]["containers"]
            env = {variable["name"]: variable for variable in container["env"]}
            assert env["RAY_AUTH_MODE"]["value"] == "token"
            secret = env["RAY_AUTH_TOKEN"]["valueFrom"]["secretKeyRef"]
            assert secret == {"name": "simsearch-token", "key": "auth_token"}


def test_the_rays_version_is_the_locks(manifests: list[Manifest]) -> None:
    locked = re.search(r"^ray==(\S+)", (CLUSTER.parent / "requirements.lock").read_text(), re.M)
    assert locked is not None
    assert cluster_spec(manifests)["rayVersion"] == locked[1]


def test_no_container_runs_as_root_or_writes_to_its_image(manifests: list[Manifest]) -> None:
    for name, template in pods(manifests):
        assert template["spec"]["securityContext"]["runAsNonRoot"] is True, name
        assert template["spec"]["securityContext"]["runAsUser"] > 0, name
        for container in template["spec"]["containers"]:
            security = container["securityContext"]
            assert security["readOnlyRootFilesystem"] is True, name
            assert security["allowPrivilegeEscalation"] is False, name
            assert security["capabilities"] == {"drop": ["ALL"]}, name
            assert "/tmp" in mounts(container), name


def mounts(container: Manifest) -> dict[str, str]:
    """The volume behind each path."""
    return {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}


def test_the_object_store_has_room_in_memory_and_spills_to_a_volume(
    manifests: list[Manifest],
) -> None:
    """Ray takes 30 % of a container's memory for objects, and no more than /dev/shm holds."""
    for name, group in groups(cluster_spec(manifests)).items():
        pod = group["template"]["spec"]
        (container,) = pod["containers"]
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        shm = volumes[mounts(container)["/dev/shm"]]["emptyDir"]
        memory = size(container["resources"]["limits"]["memory"])
        assert shm["medium"] == "Memory", name
        assert 0.3 * memory <= size(shm["sizeLimit"]) < 0.5 * memory, name
        assert mounts(container)[group["rayStartParams"]["object-spilling-directory"]] == "spill"
        disk = [v["emptyDir"]["sizeLimit"] for v in volumes.values() if "emptyDir" in v]
        asked = size(container["resources"]["requests"]["ephemeral-storage"])
        assert sum(map(size, disk)) - size(shm["sizeLimit"]) <= asked, name


def test_bounds_hold_and_a_worker_that_ended_stays_down(manifests: list[Manifest]) -> None:
    for group in cluster_spec(manifests)["workerGroupSpecs"]:
        assert 0 <= group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
        assert group["template"]["spec"]["restartPolicy"] == "Never"


def test_every_node_has_a_port_that_prometheus_scrapes(manifests: list[Manifest]) -> None:
    (endpoint,) = only(manifests, "PodMonitor")["spec"]["podMetricsEndpoints"]
    for name, group in groups(cluster_spec(manifests)).items():
        (container,) = group["template"]["spec"]["containers"]
        assert endpoint["port"] in [port["name"] for port in container["ports"]], name


def test_all_of_an_overlay_runs_the_same_image(manifests: list[Manifest], overlay: str) -> None:
    images = {
        container["image"]
        for _, template in pods(manifests)
        for container in template["spec"]["containers"]
    }
    tag = "cpu" if overlay == "cpu" else "cuda"
    assert images == {f"registry.example.org/simsearch:{tag}"}


@pytest.mark.parametrize("overlay", ["gpu", "autoscaling", "spot", "rayjob"], scope="module")
def test_gpu_workers_ask_for_gpus_and_others_do_not(manifests: list[Manifest]) -> None:
    limits = {
        name: group["template"]["spec"]["containers"][0]["resources"]["limits"]
        for name, group in groups(cluster_spec(manifests)).items()
    }
    assert limits["gpu"]["nvidia.com/gpu"] == "1"
    assert all("nvidia.com/gpu" not in limits[name] for name in ("head", "cpu"))


@pytest.mark.parametrize("overlay", ["autoscaling", "spot", "rayjob"], scope="module")
def test_autoscaling_begins_with_no_worker(manifests: list[Manifest]) -> None:
    spec = cluster_spec(manifests)
    assert spec["enableInTreeAutoscaling"] is True
    assert [group["replicas"] for group in spec["workerGroupSpecs"]] == [0, 0]
    assert [group["minReplicas"] for group in spec["workerGroupSpecs"]] == [0, 0]
    # The autoscaler runs in the head's pod and asks Kubernetes for workers.
    assert spec["headGroupSpec"]["template"]["spec"]["automountServiceAccountToken"] is True


def test_workers_may_be_on_spot_machines_and_the_head_never() -> None:
    spec = cluster_spec(rendered("spot"))
    label = {"karpenter.sh/capacity-type": "spot"}
    for group in spec["workerGroupSpecs"]:
        assert group["template"]["spec"]["nodeSelector"] == label
        assert group["template"]["spec"]["terminationGracePeriodSeconds"] < 30
    affinity = spec["headGroupSpec"]["template"]["spec"]["affinity"]["nodeAffinity"]
    (term,) = affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert term["matchExpressions"] == [
        {"key": next(iter(label)), "operator": "NotIn", "values": ["spot"]}
    ]


@pytest.mark.parametrize("overlay", ["cpu", "gpu", "autoscaling", "spot"], scope="module")
def test_nights_do_not_overlap_and_end(manifests: list[Manifest]) -> None:
    night = only(manifests, "CronJob")["spec"]
    assert night["concurrencyPolicy"] == "Forbid"
    assert night["startingDeadlineSeconds"] > 0
    assert 0 < night["jobTemplate"]["spec"]["activeDeadlineSeconds"] < 24 * 3600


@pytest.mark.parametrize("overlay", ["cpu"], scope="module")
def test_a_night_that_is_misused_or_stopped_is_not_begun_again(manifests: list[Manifest]) -> None:
    """The job's failure policy decides by the submitter's exit code."""
    job = only(manifests, "CronJob")["spec"]["jobTemplate"]["spec"]
    assert job["template"]["spec"]["restartPolicy"] == "Never"  # else Kubernetes refuses the policy
    (container,) = job["template"]["spec"]["containers"]
    fails, ignored = job["podFailurePolicy"]["rules"]
    assert fails["action"] == "FailJob"
    assert fails["onExitCodes"] == {
        "containerName": container["name"],
        "operator": "In",
        "values": [UsageError.exit_code, STOPPED],
    }
    assert SimsearchError.exit_code not in fails["onExitCodes"]["values"]
    assert ignored == {
        "action": "Ignore",
        "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
    }


@pytest.mark.slow
def test_a_rayjob_brings_its_own_cluster_and_no_other() -> None:
    manifests = rendered("rayjob")
    kinds = {manifest["kind"] for manifest in manifests}
    assert kinds == {"NetworkPolicy", "PodDisruptionBudget", "PodMonitor", "RayJob"}
    spec = only(manifests, "RayJob")["spec"]
    assert spec["rayClusterSpec"] == only(rendered("autoscaling"), "RayCluster")["spec"]
    assert spec["shutdownAfterJobFinishes"] is True

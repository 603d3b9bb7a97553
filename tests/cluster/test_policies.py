"""Who may reach whom, and what a drain of machines leaves: the policies, evaluated as Kubernetes does."""

from __future__ import annotations

import pytest

from tests.cluster.manifests import OVERLAYS, Manifest, pods, rendered


@pytest.fixture(scope="module", params=OVERLAYS)
def manifests(request: pytest.FixtureRequest) -> list[Manifest]:
    return rendered(request.param)


def labels(name: str, template: Manifest) -> dict[str, str]:
    """A pod's labels: those of its template and those that KubeRay adds."""
    own: dict[str, str] = template["metadata"]["labels"]
    if name == "submitter":
        return own
    return {
        **own,
        "ray.io/is-ray-node": "yes",
        "ray.io/node-type": "head" if name == "head" else "worker",
    }


def chosen(selector: Manifest, marks: dict[str, str]) -> bool:
    return bool(selector.get("matchLabels", {}).items() <= marks.items())


def admitted(
    policies: list[Manifest],
    to: dict[str, str],
    port: int,
    pod: dict[str, str],
    elsewhere: bool = False,
) -> bool:
    """Whether Kubernetes lets `pod`, in another namespace where it is `elsewhere`, reach a port of `to`."""
    specs = [policy["spec"] for policy in policies if chosen(policy["spec"]["podSelector"], to)]
    if not specs:
        return True
    return any(
        any(
            ("namespaceSelector" in peer or not elsewhere)
            and chosen(peer.get("podSelector", {}), pod)
            for peer in rule["from"]
        )
        and port in [entry["port"] for entry in rule.get("ports", [{"port": port}])]
        for spec in specs
        for rule in spec.get("ingress", [])
    )


@pytest.mark.slow
def test_only_nodes_the_submitter_and_the_operator_reach_rays_ports(
    manifests: list[Manifest],
) -> None:
    policies = [manifest for manifest in manifests if manifest["kind"] == "NetworkPolicy"]
    marks = {name: labels(name, template) for name, template in pods(manifests)}
    nodes = {name: own for name, own in marks.items() if name != "submitter"}
    stranger = {"app": "another"}
    operator = {"app.kubernetes.io/name": "kuberay-operator"}
    for node in nodes.values():
        for port in (6379, 8265, 10001, 41234):
            assert not admitted(policies, node, port, stranger)
            assert not admitted(policies, node, port, stranger, elsewhere=True)
            assert not admitted(policies, node, port, node, elsewhere=True)
            assert all(admitted(policies, node, port, other) for other in nodes.values())
        assert admitted(policies, node, 8265, operator, elsewhere=True)
        assert not admitted(policies, node, 6379, operator, elsewhere=True)
        assert admitted(policies, node, 8080, stranger, elsewhere=True)
        if "submitter" in marks:
            assert admitted(policies, node, 8265, marks["submitter"])
            assert not admitted(policies, node, 6379, marks["submitter"])
            assert not admitted(policies, marks["submitter"], 80, node)


def test_a_drain_leaves_the_head_and_a_worker(manifests: list[Manifest]) -> None:
    budgets = [
        manifest["spec"] for manifest in manifests if manifest["kind"] == "PodDisruptionBudget"
    ]
    for name, template in pods(manifests):
        own = labels(name, template)
        kept = [budget for budget in budgets if chosen(budget["selector"], own)]
        assert len(kept) == (0 if name == "submitter" else 1), name
        assert all(budget["minAvailable"] == 1 for budget in kept)

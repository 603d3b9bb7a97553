"""The state of a Ray cluster: its nodes, the requests that wait, and its autoscaler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ray
from ray.core.generated import autoscaler_pb2

from simsearch.runtime.resources import Node, Request

STATE_SECONDS = 10.0

_protocol: Any = autoscaler_pb2  # made by protoc, without types


@dataclass(frozen=True)
class NodeState:
    """A node that is alive: all its resources, and the free ones."""

    has: Node
    free: Node


@dataclass(frozen=True)
class ClusterState:
    """The state of a cluster at one moment.

    `waiting` are the requests for which no node has room now, each with its count. `infeasible` are those
    for which the autoscaler cannot start a node either. `autoscales` says whether there is an autoscaler
    that reports."""

    nodes: tuple[NodeState, ...]
    waiting: tuple[tuple[Request, int], ...]
    infeasible: tuple[Request, ...]
    autoscales: bool


def cluster_nodes() -> list[Node]:
    """The nodes that are alive."""
    return [
        _node(entry["Resources"], entry["NodeManagerAddress"])
        for entry in ray.nodes()
        if entry["Alive"]
    ]


def cluster_state() -> ClusterState:
    """The present state of the connected cluster, from its head node.

    Raises RuntimeError or RayError if the head does not answer."""
    raylet: Any = ray._raylet
    client = raylet.GcsClient(address=ray.get_runtime_context().gcs_address)
    reply = _protocol.GetClusterStatusReply()
    reply.ParseFromString(client.get_cluster_status(timeout_s=STATE_SECONDS))
    resources, scaling = reply.cluster_resource_state, reply.autoscaling_state
    return ClusterState(
        nodes=tuple(
            NodeState(
                _node(dict(node.total_resources), node.node_ip_address),
                _node(dict(node.available_resources), node.node_ip_address),
            )
            for node in resources.node_states
            if node.status in (_protocol.RUNNING, _protocol.IDLE)
        ),
        waiting=tuple(
            (_request(entry.request), entry.count) for entry in resources.pending_resource_requests
        ),
        infeasible=tuple(_request(request) for request in scaling.infeasible_resource_requests),
        autoscales=scaling.autoscaler_state_version > 0,
    )


def declared_gpus() -> int | None:
    """The number of GPUs that the cluster can have in all, by its configuration. None if the configuration
    does not say, as is usual."""
    most = ray._private.state.state.get_max_resources_from_cluster_config()
    return None if most is None else int(most.get("GPU", 0))


def waiting_line(state: ClusterState) -> str:
    """`waiting: 2 × 0.998 CPU; free: 10.0.0.2: 0.47 of 2 CPU`"""
    waits = ", ".join(f"{count} × {request}" for request, count in state.waiting)
    waits = waits and f"waiting: {waits}"
    free = "; ".join(_free(node) for node in state.nodes if node.has.cpus or node.has.gpus)
    return (
        f"{waits or 'nothing waits for room, what runs is slow or hangs'}; "
        f"{f'free: {free}' if free else 'the cluster has no node to work on yet'}"
    )


def describe_lack(request: Request, nodes: Sequence[Node]) -> str:
    """A line such as `waiting for 1 GPU; the cluster has none yet` if the request asks for a GPU and no node
    has one, or if no node has a CPU. Else an empty text."""
    if request.gpus and not any(node.gpus for node in nodes):
        return "waiting for 1 GPU; the cluster has none yet"
    if not any(node.cpus for node in nodes):
        return "waiting for 1 CPU; the cluster has no node to work on yet"
    return ""


def _free(node: NodeState) -> str:
    parts = [f"{node.free.cpus:.3g} of {node.has.cpus:g} CPU"]
    if node.has.gpus:
        parts.append(f"{node.free.gpus:g} of {node.has.gpus:g} GPU")
    parts.append(f"{node.free.memory / 2**30:.1f} of {node.has.memory / 2**30:.1f} GiB")
    return f"{node.has.name}: {', '.join(parts)}"


def _node(resources: dict[str, float], name: str) -> Node:
    return Node(
        resources.get("CPU", 0.0), resources.get("GPU", 0.0), resources.get("memory", 0.0), name
    )


def _request(request: Any) -> Request:
    bundle = dict(request.resources_bundle)
    return Request(bundle.get("CPU", 0.0), bundle.get("GPU", 0.0), int(bundle.get("memory", 0.0)))

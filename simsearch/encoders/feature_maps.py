"""A network's last feature map before positions are pooled away.

`torch.fx` makes a graph of the network, which is cut at the last tensor with positions. So no family of
networks has to name a layer.
"""

from __future__ import annotations

import operator

import torch
from torch import fx, nn
from torch.fx.passes.shape_prop import ShapeProp, TensorMetadata

# A generalised mean clamps and raises to a power before it averages. Both belong to the pooling.
_OF_POWER_MEANS = ("clamp", "pow", operator.pow, torch.clamp, torch.pow)


def before_pooling(module: nn.Module, side: int) -> fx.GraphModule | None:
    """The part of a network from images [N, 3, side, side] to its last map [N, C, h, w], with the
    network's own weights. None if positions do not end in a pooling: transformers keep a token instead.

    Raises fx.proxy.TraceError for a network that `torch.fx` cannot follow.
    """
    traced = module if isinstance(module, fx.GraphModule) else fx.symbolic_trace(module)
    weight = next(traced.parameters())
    image = torch.zeros(1, 3, side, side, dtype=weight.dtype, device=weight.device)
    with torch.inference_mode():
        ShapeProp(traced).propagate(image)
    last = _last_map(traced.graph)
    if last is None:
        return None
    graph = fx.Graph()
    copied: dict[fx.Node, fx.Node] = {}
    for node in traced.graph.nodes:
        copied[node] = graph.node_copy(node, copied.__getitem__)
        if node is last:
            break
    graph.output(copied[last])
    return fx.GraphModule(traced, graph)


def _last_map(graph: fx.Graph) -> fx.Node | None:
    for node in reversed(graph.nodes):
        meta = node.meta.get("tensor_meta")
        if node.op == "output" or not isinstance(meta, TensorMetadata):
            continue
        shape = meta.shape
        if len(shape) == 4 and shape[2] * shape[3] > 1:
            return node if node.target not in _OF_POWER_MEANS else _first_input(node)
        if len(shape) == 3:
            return None
    return None


def _first_input(node: fx.Node) -> fx.Node:
    while node.target in _OF_POWER_MEANS:
        node = node.all_input_nodes[0]
    return node

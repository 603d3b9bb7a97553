"""What computes a network on CPUs: PyTorch, or ONNX Runtime once the network is converted. Pure.

Two engines round differently, so each has feature spaces of its own. Which one a run extends follows
from the hardware, the amount of work and what is stored, never from a stopwatch.
"""

from __future__ import annotations

from collections.abc import Mapping

from simsearch.features.space import ONNX_RUNTIME, PYTORCH, Engine

IN_WORDS: Mapping[Engine, str] = {PYTORCH: "PyTorch", ONNX_RUNTIME: "ONNX Runtime"}

# What an image costs ONNX Runtime where it costs PyTorch 1, on x86-64 without matrix tiles: more than
# SqueezeNet's 0.75 on two AVX2 cores, so that a close call stays with PyTorch.
COST_OF_AN_IMAGE = 0.86
# What converting a network costs, in images that PyTorch embeds in that time: SqueezeNet's 4 s of one
# core are 376 of them. So it pays from about 2,100 images on.
COST_OF_CONVERTING = 300


def runs_faster_converted(machine: str, *, tiles: bool) -> bool:
    """Whether float32 networks run faster by ONNX Runtime on a CPU of an architecture
    (`platform.machine()`), with or without matrix tiles for bfloat16. Others were not measured."""
    return machine.lower() in ("x86_64", "amd64") and not tiles


def choose_engine(
    *, faster: bool, wanted: int, held: Mapping[Engine, int], converted: bool
) -> tuple[Engine, str]:
    """The engine with less left to do, the one that did more where that is the same; and why, in words.

    `wanted` vectors there shall be, `held` are stored of each engine's space; `faster` says that
    ONNX Runtime is, here; `converted`, that the network is kept converted. So an engine goes on with
    what it began, until what is still to do outweighs what it did.
    """
    left = {engine: max(0, wanted - held.get(engine, 0)) for engine in IN_WORDS}
    costs = {
        PYTORCH: float(left[PYTORCH]),
        ONNX_RUNTIME: (COST_OF_AN_IMAGE if faster else 1.0) * left[ONNX_RUNTIME]
        + (0 if converted else COST_OF_CONVERTING),
    }
    engine = min(IN_WORDS, key=lambda engine: (costs[engine], -held.get(engine, 0)))
    name = IN_WORDS[engine]
    if count := held.get(engine, 0):
        return engine, f"{name} goes on with its {count:,} vectors"
    if engine == ONNX_RUNTIME:
        return engine, f"{name}, faster on this CPU"
    why = "too few images to convert the network for" if faster else "as fast on this CPU"
    return engine, f"{name}, {why}"

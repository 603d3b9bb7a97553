"""The choice of the engine on CPUs: PyTorch, or ONNX Runtime with a converted network. Pure.

Engines round differently, so each has its own feature spaces. The hardware, the amount of work and the
stored vectors decide which one a run extends, never a measured time.
"""

from __future__ import annotations

from collections.abc import Mapping

from simsearch.features.space import ONNX_RUNTIME, PYTORCH, Engine

IN_WORDS: Mapping[Engine, str] = {PYTORCH: "PyTorch", ONNX_RUNTIME: "ONNX Runtime"}

# The cost of an image with ONNX Runtime, relative to PyTorch, on x86-64 without matrix tiles. It is set
# above SqueezeNet's 0.75 on two AVX2 cores, so that a close decision stays with PyTorch.
COST_OF_AN_IMAGE = 0.86
# The cost of converting a network, in images that PyTorch embeds in the same time: SqueezeNet's 4 s of
# one core are 376 images. Converting thus pays from about 2,100 images on.
COST_OF_CONVERTING = 300


def runs_faster_converted(machine: str, *, tiles: bool) -> bool:
    """Whether float32 networks run faster in ONNX Runtime on a CPU of this architecture
    (`platform.machine()`), with or without matrix tiles for bfloat16. Unmeasured CPUs give False."""
    return machine.lower() in ("x86_64", "amd64") and not tiles


def choose_engine(
    *, faster: bool, wanted: int, held: Mapping[Engine, int], converted: bool
) -> tuple[Engine, str]:
    """The engine with the lower remaining cost, and the reason in words. On a tie, it is the engine with
    more stored vectors.

    `wanted` is the number of vectors that a space needs, `held` the number stored in each engine's space.
    `faster` says that ONNX Runtime is faster here, `converted` that the converted network is stored. An
    engine thus goes on with the space that it began, until the remaining work outweighs the work done.
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

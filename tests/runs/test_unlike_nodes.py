"""Nodes that would compute otherwise, or see other files, than the driver: named, and never used."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from ray.cluster_utils import Cluster

from simsearch.catalog.readers.generated import image_bytes
from simsearch.features.store import MADE_BY_KEY
from simsearch.runs.context import take
from simsearch.runs.job import ingest
from simsearch.runtime.installation import describe_installation, digest_of
from simsearch.runtime.ray_session import start_in_time
from simsearch.settings.config import load_config
from tests.runs.test_lost_nodes import STORE, head, join, settings
from tests.support.node_jobs import RunningJob
from tests.support.processes import end, family_of, free_port

pytestmark = [
    pytest.mark.ray,
    pytest.mark.drill,
]  # tests/runtime/test_node_check.py is the quick one

PACKAGE = Path(__file__).parents[2] / "simsearch"
BIN = Path(sys.executable).parent
JOIN_SECONDS = 200

# As where the package was never installed: whatever finder would find it.
WITHOUT_THE_PACKAGE = """
import sys
from importlib.machinery import PathFinder
find = PathFinder.find_spec
PathFinder.find_spec = lambda name, *others: None if name == "simsearch" else find(name, *others)
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in repr(finder)]
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with head() as cluster:
        yield cluster


@pytest.fixture
def words(cluster: Cluster, tmp_path: Path) -> list[str]:
    """The settings of a collection that is ingested. In a folder of its own, as nodes look for packages
    in the driver's folder first."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(3):
        (pictures / f"{number}.jpg").write_bytes(image_bytes(5, number))
    words = settings(
        cluster,
        tmp_path / "root",
        3,
        "catalog.reader=folder",
        f"catalog.source={pictures}",
        "extract.backbones=[squeezenet1_1]",
        "perturbations.profiles=[grayscale]",
    )
    take(load_config(None, words), ingest, new=True)
    return words


@contextmanager
def node(cluster: Cluster, path: Path) -> Iterator[None]:
    """A node whose processes look for packages in `path` first."""
    joined = join(cluster, env_vars={"PYTHONPATH": str(path)})
    try:
        yield
    finally:
        cluster.remove_node(joined)
        until(cluster, nodes=1)


@contextmanager
def node_without(cluster: Cluster, folder: Path) -> Iterator[None]:
    """A node that has an empty folder in the place of `folder`. It has an address of its own, as a driver
    belongs to any of the nodes with its address, and this one must not be the driver's."""
    command = [
        "unshare", "--mount", "sh", "-c", f'mount -t tmpfs tmpfs "{folder}" && exec "$@"', "sh",
        str(BIN / "ray"), "start", "--block", f"--address={cluster.address}", "--num-cpus=1",
        f"--object-store-memory={STORE}", f"--dashboard-agent-listen-port={free_port()}",
        "--node-ip-address=127.0.0.2",
    ]  # fmt: skip
    process = start_in_time(lambda: start_node(cluster, command))
    try:
        yield
    finally:
        end(family_of(process.pid), seconds=5)  # in which it says that it leaves
        process.wait()
        until(cluster, nodes=1)


def start_node(cluster: Cluster, command: list[str]) -> subprocess.Popen[bytes]:
    """The process of a node that is part of the cluster. Raises AssertionError with what it said where it
    did not become one."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
        try:
            until(cluster, nodes=2, process=process)
        except AssertionError:
            end(family_of(process.pid), seconds=0)
            process.wait()
            said.seek(0)
            raise AssertionError(said.read().decode(errors="replace")) from None
    return process


def until(cluster: Cluster, nodes: int, process: subprocess.Popen[bytes] | None = None) -> None:
    """Wait until the cluster has so many nodes: one that ended is counted until its head notices. Raises
    AssertionError where the process ends before, and after JOIN_SECONDS."""
    deadline = time.monotonic() + JOIN_SECONDS
    while sum(entry["Alive"] for entry in cluster.global_state.node_table()) != nodes:
        assert process is None or process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.2)


def extract(words: list[str], folder: Path) -> tuple[int, str]:
    """The exit code and the output of an extraction."""
    job = RunningJob.start(folder / "extract.log", "extract", *words, folder=folder)
    return job.code(), job.text()


def refused(words: list[str], folder: Path) -> str:
    """The line that ends an extraction; asserts that nothing was computed and nothing else told."""
    code, text = extract(words, folder)
    assert code == 1, text
    assert "Traceback" not in text
    assert "report it" not in text
    assert not list(folder.glob("root/features/*/*.parquet"))
    return text.splitlines()[-1]


def test_a_node_with_other_code_is_refused_and_named_and_with_the_right_one_it_works(
    cluster: Cluster, words: list[str], tmp_path: Path
) -> None:
    copy = tmp_path / "copy" / "simsearch"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    with node(cluster, copy.parent):  # equal, wherever it lies
        code, text = extract(words, tmp_path)
        assert code == 0, text
    (shard,) = tmp_path.glob("root/features/*/*.parquet")
    made_by = pq.read_schema(shard).metadata[MADE_BY_KEY].decode()
    assert made_by == digest_of(describe_installation())
    shutil.rmtree(shard.parent)
    preprocessing = copy / "images" / "preprocessing.py"
    code_there = preprocessing.read_text()
    other_filter = code_there.replace("self.interpolation.upper()", '"NEAREST"')
    assert other_filter != code_there
    preprocessing.write_text(other_filter)
    with node(cluster, copy.parent):
        line = refused(words, tmp_path)
    assert line.startswith("error: node ")
    assert " has simsearch's code " in line
    assert "all nodes need the driver's image" in line


def test_a_node_without_the_package_is_named(
    cluster: Cluster, words: list[str], tmp_path: Path
) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "sitecustomize.py").write_text(WITHOUT_THE_PACKAGE)
    with node(cluster, bare):
        line = refused(words, tmp_path)
    assert "has simsearch's code not installed (the driver has " in line


@pytest.mark.parametrize("folder", ["root", "pictures"])
def test_a_node_that_does_not_see_the_files_is_named(
    cluster: Cluster, words: list[str], tmp_path: Path, folder: str
) -> None:
    with node_without(cluster, tmp_path / folder):
        line = refused(words, tmp_path)
    assert line.startswith("error: node ")
    assert f"does not see {tmp_path / folder}/" in line
    assert "share its folder among all nodes" in line

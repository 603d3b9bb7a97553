"""The package as a stranger gets it: built, installed in an empty environment, and used to read."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from simsearch.settings.extras import MODULES
from simsearch.storage.storage import Storage
from tests.support.small_snapshots import make_snapshot

PROJECT = Path(__file__).parents[1]
MOST_MEGABYTES = 450  # the environment of somebody who only reads
READ = """
import sys, simsearch
collection = simsearch.open(sys.argv[1])
print(len(collection.space("test").neighbours("a", n=2)), simsearch.__file__)
"""


def uv(*arguments: object) -> None:
    program = shutil.which(str(PROJECT / ".uv" / "bin" / "uv")) or shutil.which("uv")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("no uv: `make setup` installs it")
        pytest.skip("no uv; `make setup` installs it")
    done = subprocess.run(
        [program, *map(str, arguments)], capture_output=True, text=True, check=False, cwd=PROJECT
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_wheel_alone_reads_a_snapshot_and_names_the_extra_for_more(tmp_path: Path) -> None:
    uv("build", "--quiet", "--out-dir", tmp_path / "dist")
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    (source,) = (tmp_path / "dist").glob("*.tar.gz")
    package = PROJECT / "simsearch"
    files = {
        str(path.relative_to(PROJECT))
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert files <= set(zipfile.ZipFile(wheel).namelist())
    with tarfile.open(source) as archive:
        assert files <= {name.partition("/")[2] for name in archive.getnames()}
    reader = tmp_path / "reader"
    uv("venv", "--quiet", "--python", sys.executable, reader)
    uv(
        *("pip", "install", "--quiet", "--python", reader / "bin" / "python", wheel),
        *("--constraints", PROJECT / "requirements.lock"),
    )
    size = sum(path.stat().st_size for path in reader.rglob("*") if path.is_file())
    assert size < MOST_MEGABYTES * 2**20
    root = tmp_path / "root"
    make_snapshot(Storage(str(root)), {name: name for name in "abcd"})

    def ran(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [reader / "bin" / program, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={"HOME": str(tmp_path), "PATH": os.defpath},
        )

    read = ran("python", "-c", READ, root)
    assert read.stdout.startswith(f"2 {reader}"), read.stderr
    assert ran("simsearch", "snapshots", "list", f"root={root}").returncode == 0
    for command, extra in (("run", "run"), ("query", "run"), ("explore", "explore")):
        words = ["photo.jpg"] if command == "query" else []
        refused = ran("simsearch", command, *words, f"root={root}")
        line = f"error: simsearch {command}: needs the extra '{extra}'; pip install \"simsearch[{extra}]\""
        assert (refused.stderr.strip(), refused.returncode) == (line, 2)


def test_every_extra_is_listed_and_brings_the_modules_it_is_seen_by() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    assert MODULES.keys() <= extras.keys()
    (whole,) = extras["all"]
    named = set(whole.partition("[")[2].rstrip("]").split(","))
    assert named == extras.keys() - {"all", "dev", "docs", "sscd"}
    for extra in named & MODULES.keys():
        for module in MODULES[extra]:
            assert find_spec(module) is not None, module

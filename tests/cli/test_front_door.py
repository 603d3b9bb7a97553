"""A collection that is given by its address alone, from the command line to the pages."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from simsearch.catalog.readers.generated import image_bytes
from simsearch.settings.config import Config
from tests.cli.test_main import in_process, simsearch
from tests.support.terminal import on_terminal

NETWORK = "extract.spaces=[efficientnet_lite0]"


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    folder = tmp_path / "scans"
    folder.mkdir()
    for number in range(4):
        (folder / f"{number}.jpg").write_bytes(image_bytes(1, number))
    return folder


@pytest.mark.ray
def test_a_folder_runs_on_a_terminal_and_its_settings_file_gives_the_same(scans: Path) -> None:
    words = [NETWORK, "projection.methods=[pca]", "evaluate.bootstrap=20", "ray.cpus=1"]
    code, shown = on_terminal([sys.executable, "-m", "simsearch", "run", str(scans), *words])
    assert code == 0, shown
    assert '{"' not in shown  # no JSON
    assert "Traceback" not in shown
    assert shown.rstrip().endswith(f"explorer: simsearch explore {scans}-simsearch")
    again = simsearch("run", f"{scans}-simsearch.yaml")
    assert again.returncode == 0, again.stderr
    assert "nothing changed since snapshot" in again.stderr
    listed = in_process("snapshots", "list", f"{scans}-simsearch").stdout
    assert listed.count("published") == 1
    assert "4 artworks" in listed


def test_the_pages_are_opened_at_the_end(scans: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[tuple[list[str], bool]] = []

    def serve(config: Config, roots: list[str], *, browser: bool) -> None:
        opened.append((roots, browser))

    def run(config: Config) -> Any:
        return SimpleNamespace(snapshot=None)

    monkeypatch.setattr("simsearch.runs.job.run", run)
    monkeypatch.setattr("simsearch.cli.collection.print_result", lambda *_: None)
    monkeypatch.setattr("simsearch.explorer.server.serve.serve", serve)
    assert in_process("run", str(scans), NETWORK, "--explore").returncode == 0
    assert opened == [([f"{scans}-simsearch"], True)]
    assert in_process("run", str(scans)).returncode == 0
    assert len(opened) == 1


def test_a_folder_with_an_equals_sign_and_a_mistake_in_a_word(
    scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(scans.parent)
    scans.rename("year=1885")
    wrong = in_process("run", "year=1885", "extract.spaces=[nonsense]")
    assert wrong.returncode == 2
    assert "no encoder named 'nonsense'" in wrong.stderr
    assert [path.name for path in scans.parent.iterdir()] == ["year=1885"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("nowhere", "nothing is there"),
        ("{tmp}/empty", "an empty folder"),
        ("{tmp}/scans/0.jpg", "a picture (JPEG), not a collection"),
        ("nowhere.yaml", "cannot read the config"),
        ("http://[x/", "not a web address"),
        ("-", "it has to stay in a place"),
    ],
)
def test_what_cannot_be_run_is_one_line_and_exit_code_2(
    place: str, message: str, scans: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    done = in_process("run", place.format(tmp=tmp_path))
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} == {"empty", "scans"}

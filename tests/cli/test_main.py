"""The command line as a user meets it: exit codes, one-line errors, no tracebacks."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from simsearch.catalog.readers.generated import image_bytes
from simsearch.cli.main import exit_code
from tests.support.places import Place

SMALL = [
    "catalog.size=8",
    "extract.backbones=[efficientnet_lite0]",
    "extract.weights=['random:0']",
    "extract.precision=float32",
    "evaluate.bootstrap=20",
    "report.examples=1",
    "projection.methods=[pca]",  # UMAP compiles for half a minute
]


def simsearch(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from simsearch.cli.main import main; main()", *arguments],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env={**os.environ, **environment},
    )


def in_process(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The same in this process, where what it imports is there already."""
    out, errors = io.StringIO(), io.StringIO()
    handler = signal.getsignal(signal.SIGTERM)
    try:
        with redirect_stdout(out), redirect_stderr(errors):
            code = exit_code(arguments)
    finally:
        signal.signal(signal.SIGTERM, handler)
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), errors.getvalue())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "nowhere.yaml"], "nowhere.yaml: cannot read the config"),
        (["run", "extract.batch=3"], "extract.batch: no such setting"),
        (["run", "extract.backbones=[vgg17]"], "no encoder named 'vgg17'"),
        (["run", "perturbations.profiles=[blurry]"], "no perturbation profile named 'blurry'"),
        (["run", "root=gs://bucket"], "no storage for gs://"),
        (["run", ""], "an empty word among the arguments"),
        (["runs", ""], "an empty word among the arguments"),
        (["frobnicate"], "No such command"),
        (["query"], "Missing parameter: image"),
    ],
)
def test_misuse_is_one_line_and_exit_code_2(arguments: list[str], message: str) -> None:
    done = in_process(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["catalog.reader=folder", "catalog.source={tmp}/none"], "none does not exist"),
        (
            [
                "root=s3://no-such-bucket",
                "storage.endpoint_url=http://127.0.0.1:9",
                "storage.attempts=1",
            ],
            "s3://no-such",
        ),
    ],
)
def test_a_failed_run_is_one_line_and_exit_code_1(
    overrides: list[str], message: str, tmp_path: Path
) -> None:
    fails(overrides, message, tmp_path)


def test_a_run_without_weights_is_one_line_and_exit_code_1(tmp_path: Path, ray_local: None) -> None:
    fails(["extract.weights=[{tmp}]"], "efficientnet_lite0: no weights", tmp_path)


def fails(overrides: list[str], message: str, tmp_path: Path) -> None:
    filled = [override.format(tmp=tmp_path) for override in overrides]
    root = [] if any(word.startswith("root=") for word in filled) else [f"root={tmp_path}/root"]
    done = in_process("run", *SMALL, *root, *filled)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.ray
def test_ray_that_does_not_start_is_one_line_that_says_where_to_look(tmp_path: Path) -> None:
    deep = tmp_path / ("deep" * 20)  # longer than a socket's path may be
    deep.mkdir()
    done = simsearch("run", *SMALL, f"root={tmp_path}/root", RAY_TMPDIR=str(deep))
    assert done.returncode == 1
    message = done.stderr.splitlines()[-1]
    assert message.startswith("error: cannot start Ray on this machine: ")
    assert message.endswith(f"logs lie under {deep}/ray/session_latest/logs")
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_help_and_listings_name_what_there_is() -> None:
    listed = in_process("--help").stdout
    steps = ("ingest", "extract", "index", "neighbours", "evaluate", "report")
    for command in ("run", *steps, "query", "config"):
        assert command in listed
    encoders = in_process("encoders").stdout
    assert "vgg16" in encoders
    assert re.search(r"^variational +256  learned by the run ", encoders, re.MULTILINE)
    assert "edge-enhance" in in_process("perturbations").stdout
    assert "batch_size: 64" in in_process("config", "show", "extract.batch_size=64").stdout


def test_a_whole_run_then_a_query(
    tmp_path: Path, ray_local: None, caplog: pytest.LogCaptureFixture
) -> None:
    where = f"root={tmp_path}/root"
    done = in_process("run", *SMALL, where)
    assert done.returncode == 0, done.stderr
    assert "efficientnet_lite0 (untrained)" in done.stdout
    conclusion, report, explorer = done.stdout.strip().splitlines()[-3:]
    assert conclusion.startswith("conclusion: no advice: every network here is untrained")
    assert Path(report.removeprefix("report: file://")).is_file()
    assert explorer == f"explorer: simsearch explore {tmp_path}/root"
    assert "UNTRAINED" in caplog.text
    (tmp_path / "photo.jpg").write_bytes(image_bytes(71, 5))
    answer = in_process("query", str(tmp_path / "photo.jpg"), where, "--json", "-n", "3")
    assert answer.returncode == 0, answer.stderr
    matches = json.loads(answer.stdout)["spaces"]["efficientnet_lite0"]
    assert matches[0]["artwork_id"] == "generated-000005"
    assert len(matches) == 3
    table = in_process("query", str(tmp_path / "photo.jpg"), where)
    assert "No. 6" in table.stdout


def test_a_query_before_any_run_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(image_bytes(71, 5))
    done = in_process("query", str(tmp_path / "photo.jpg"), f"root={tmp_path}/root")
    assert done.returncode == 1
    assert "no published snapshot here; run `simsearch run` first" in done.stderr


def test_wrong_credentials_are_one_line(s3_place: Place) -> None:
    done = simsearch(
        "ingest",
        f"root={s3_place.root}",
        f"storage.endpoint_url={s3_place.config.endpoint_url}",
        AWS_SECRET_ACCESS_KEY="wrong",
    )
    assert done.returncode == 1
    assert "access denied; check the credentials" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_sample_and_seed_are_options_too(tmp_path: Path) -> None:
    def artworks(folder: str, *words: str) -> list[str]:
        root = tmp_path / folder
        done = in_process("ingest", f"root={root}", "catalog.size=30", *words)
        assert done.returncode == 0, done.stderr
        (catalog,) = (root / "catalog").glob("*.parquet")
        return list(pq.read_table(catalog)["artwork_id"].to_pylist())

    chosen = artworks("options", "--sample", "5", "--seed", "3")
    assert len(chosen) == 5
    assert chosen == artworks("words", "catalog.sample=5", "seed=3")
    assert chosen != artworks("other", "--sample", "5", "--seed", "4")


@pytest.mark.slow
def test_a_run_that_is_ended_by_a_signal_says_how_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simsearch.runs.job.run", lambda _: signal.raise_signal(signal.SIGTERM))
    done = in_process("run", f"root={tmp_path}/root", *SMALL)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "interrupted; run the same command again to resume\n"

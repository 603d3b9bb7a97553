"""The first run: what takes part in it, and what a person sees."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from simsearch.cli.demo import PACKAGED, demo_config
from tests.support.terminal import on_terminal

VGG16 = "vgg16-397923af.pth"  # as torchvision names the file of its default weights


@pytest.mark.slow
def test_the_studys_networks_take_part_where_their_weights_lie_on_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert demo_config([]).extract.backbones == PACKAGED
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("without vgg16, resnet152, densenet201: their trained weights are not")
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    (tmp_path / "hub" / "checkpoints" / VGG16).touch()
    assert demo_config([]).extract.backbones == (*PACKAGED, "vgg16")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("without resnet152, densenet201:")
    assert demo_config(["catalog.size=5"]).catalog.size == 5


@pytest.mark.ray
def test_on_a_terminal_a_first_run_reads_well_and_ends_with_three_lines(tmp_path: Path) -> None:
    words = [f"root={tmp_path}/root", "catalog.size=8", "projection.methods=[pca]"]
    words += ["evaluate.bootstrap=20", "report.examples=1"]
    command = [sys.executable, "-m", "simsearch", "demo", *words]
    code, shown = on_terminal(command, {"TORCH_HOME": str(tmp_path / "none")})
    assert code == 0, shown
    assert '{"' not in shown  # no JSON
    assert not re.search(r"\(\w+ pid=|\[\d{4}-\d\d-\d\d [\d:,]+ [DIWEF] \d+ \d+\]", shown)  # no C++
    assert "Traceback" not in shown
    conclusion, report, explorer = shown.strip().splitlines()[-3:]
    assert re.match(r"conclusion: search with efficientnet_lite[01]: mean average prec", conclusion)
    assert Path(report.removeprefix("report: file://")).is_file()
    assert explorer == f"explorer: simsearch explore {tmp_path}/root"
    assert "untrained" not in shown.lower()

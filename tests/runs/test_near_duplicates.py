"""The artworks that a run lists as near-duplicates, and the networks that decide it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from onnx import helper, numpy_helper
from PIL import Image

from simsearch.catalog.readers.generated import image_bytes
from simsearch.features.collapse import find_collapsed
from simsearch.runs import job
from tests.support import onnx_files
from tests.support.small_runs import config_for

pytestmark = pytest.mark.usefixtures("ray_local")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of each generated style, the bytes of one under a second name, and another a tenth smaller."""
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(8):
        (folder / f"{number:02}.jpg").write_bytes(image_bytes(5, number))
    (folder / "00-again.jpg").write_bytes(image_bytes(5, 0))
    picture = Image.open(io.BytesIO(image_bytes(5, 1))).convert("RGB")
    picture.resize((picture.width * 9 // 10, picture.height * 9 // 10)).save(
        folder / "01-small.png"
    )
    return folder


def listed(root: Path, folder: Path, *settings: str) -> dict[str, set[tuple[str, str]]]:
    """The pairs of near-duplicates that a run lists, by the space that a distance is given for."""
    config = config_for(str(root), "catalog.reader=folder", f"catalog.source={folder}", *settings)
    snapshot = job.run(config).snapshot
    pairs: dict[str, set[tuple[str, str]]] = {}
    for row in snapshot.storage.read_table(snapshot.near_duplicates_path).to_pylist():
        pair = sorted((row["artwork_id"], row["other_id"]))
        pairs.setdefault(row["space"], set()).add((pair[0], pair[1]))
    return pairs


def test_an_untrained_network_has_no_say_beside_a_trained_one(tmp_path: Path, folder: Path) -> None:
    pairs = listed(
        tmp_path,
        folder,
        "extract.backbones=[efficientnet_lite0,squeezenet1_1]",
        "extract.weights=[imagenet]",
        "extract.weights_for={squeezenet1_1: [random:0]}",
    )
    assert pairs == {"efficientnet_lite0": {("00", "00-again"), ("01", "01-small")}}


def test_copies_that_are_farther_than_other_works_judge_no_two_pictures_the_same(
    tmp_path: Path, folder: Path
) -> None:
    """Trained networks find a picture turned by 60 degrees farther than another one."""
    pairs = listed(
        tmp_path, folder, "extract.weights=[imagenet]", "perturbations.profiles=[rotate-5]"
    )
    assert pairs == {"efficientnet_lite0": {("00", "00-again")}}


def test_a_network_that_tells_nothing_apart_is_named_scores_as_chance_and_has_no_say(
    tmp_path: Path, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = onnx_files.model()
    for weights in made.graph.initializer:
        if weights.name == "weight":
            weights.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weights) * 0, "weight"))
    made.graph.initializer.append(numpy_helper.from_array(np.ones(5, np.float32), "bias"))
    made.graph.node[-1].output[0] = "product"
    made.graph.node.append(helper.make_node("Add", ["product", "bias"], ["vector"]))
    constant = onnx_files.write(tmp_path / "network", made)
    config = config_for(
        str(tmp_path / "root"),
        "catalog.reader=folder",
        f"catalog.source={folder}",
        f"extract.backbones=['{constant}']",
    )
    snapshot = job.run(config).snapshot
    near = snapshot.storage.read_table(snapshot.near_duplicates_path).to_pylist()
    assert [(row["artwork_id"], row["other_id"]) for row in near] == [("00", "00-again")]
    metrics = snapshot.storage.read_table(snapshot.metrics_path)
    assert list(find_collapsed(metrics)) == [space.name for space in snapshot.plan().spaces]
    exact = {
        (row["metric"], row["k"]): row["mean"]
        for row in metrics.to_pylist()
        if (row["search"], row["scope"]) == ("exact", "all")
    }
    # Of ten artworks with five copies each, two show one picture: a place is right with a chance of 1/59 for
    # eight queries, and of 1/53 for these two.
    chance = 0.8 / 59 + 0.2 / 53
    assert exact["recall", 5] == pytest.approx(5 * chance)
    assert exact["recall_curve", 50] == pytest.approx(50 * chance)
    assert exact["map", 59] < 0.2
    assert (exact["micro_ap", 59], exact["recall_at_p90", 59]) == (0, 0)
    words = snapshot.storage.read_bytes(snapshot.report_path).decode()
    assert "does not tell pictures apart" in words
    assert "No advice" in words
    assert "does not tell pictures apart" in caplog.text


def test_untrained_networks_alone_list_only_equal_vectors(tmp_path: Path, folder: Path) -> None:
    networks = ("squeezenet1_1", "shufflenet_v2_x0_5")
    pairs = listed(tmp_path, folder, f"extract.backbones=[{','.join(networks)}]")
    assert pairs == {name: {("00", "00-again")} for name in networks}

"""Which artworks a run lists as near-duplicates, and which of its networks have a say."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from simsearch.catalog.readers.generated import image_bytes
from simsearch.runs import job
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


def test_untrained_networks_alone_list_only_equal_vectors(tmp_path: Path, folder: Path) -> None:
    networks = ("squeezenet1_1", "shufflenet_v2_x0_5")
    pairs = listed(tmp_path, folder, f"extract.backbones=[{','.join(networks)}]")
    assert pairs == {name: {("00", "00-again")} for name in networks}

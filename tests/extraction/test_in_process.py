"""A few vectors are made in the command's own process, and are those that actors make."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from simsearch.catalog.readers.generated import image_bytes
from simsearch.extraction import gathering, in_actors, pipeline
from simsearch.features.store import read_keys
from simsearch.runs import job
from simsearch.runs.context import take
from simsearch.runs.steps import extract
from simsearch.settings.config import Config
from simsearch.snapshots.snapshot import Snapshot, pending_snapshot
from simsearch.storage.storage import Storage
from tests.support.small_runs import ARTWORKS, all_vectors, config_for

pytestmark = pytest.mark.usefixtures("ray_local")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(ARTWORKS):
        (folder / f"{number:02}.jpg").write_bytes(image_bytes(0, number))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    return folder


def extracted(root: Path, pictures: Path) -> tuple[Config, Snapshot]:
    config = config_for(
        str(root),
        "catalog.reader=folder",
        f"catalog.source={pictures}",
        "extract.backbones=[efficientnet_lite0,efficientnet_lite1]",  # of two geometries
        "extract.max_reject_share=0.5",
        "perturbations.originals=3",
    )
    take(config, job.ingest, new=True)
    assert take(config, extract).items == 2 * (ARTWORKS + 3 * 5)
    return config, pending_snapshot(Storage(str(root)))


def test_vectors_rejects_and_thumbnails_are_those_of_the_actors(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = torch.get_num_threads()
    with monkeypatch.context() as patched:
        patched.delattr(in_actors, "run_in_actors")  # whoever starts actors here fails
        _, here = extracted(tmp_path / "here", pictures)
    assert torch.get_num_threads() == threads
    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "are_too_few_for_actors", lambda *_: False)
        patched.delattr(pipeline, "run_in_process")
        patched.setattr(gathering, "LONGEST_SECONDS", 0.0)  # each block is late
        _, actors = extracted(tmp_path / "actors", pictures)

    assert here.images().equals(actors.images())
    assert here.rejects().equals(actors.rejects())
    assert here.rejects().num_rows == 1
    ours, theirs = all_vectors(here), all_vectors(actors)
    assert {name: vectors.tobytes() for name, vectors in ours.items()} == {
        name: vectors.tobytes() for name, vectors in theirs.items()
    }
    kept = [
        {
            info.path: storage.read_bytes(f"thumbnails/{info.path}")
            for info in storage.files("thumbnails")
        }
        for storage in (here.storage, actors.storage)
    ]
    for space in actors.plan().spaces:  # stored block by block, though a shard has room for 24
        assert read_keys(actors.storage, space).rows.max() <= 12
        assert read_keys(here.storage, space).rows.max() > 12
    assert kept[0] == kept[1]
    assert len(kept[0]) == 2 * ARTWORKS

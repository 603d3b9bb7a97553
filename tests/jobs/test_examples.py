"""The examples of settings are checked as `simsearch check` would, over small collections."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from simsearch.catalog.readers.generated import image_bytes
from simsearch.runs.checks.check import check
from simsearch.runs.steps import check_names
from simsearch.settings.config import load_config
from tests.support.iiif_server import IiifServer
from tests.support.places import SHARED

EXAMPLES = Path(__file__).parents[2] / "jobs" / "examples"
SMALL = ["extract.spaces=[{backbone: squeezenet1_1}]", "extract.weights=['random:0']"]


@contextmanager
def collection_for(name: str, folder: Path) -> Iterator[list[str]]:
    """Words that give an example a small collection on this machine."""
    if name == "iiif":
        with IiifServer(images=2, pages=1, version=3).running() as server:
            source = f"catalog.source={server.collection}"
            yield [source, "catalog.download.private_networks=true", "catalog.iiif_pixels=256"]
    elif name == "museum":
        table = SHARED / "museums" / "cmoa-things.jsonl"
        if not table.exists():
            pytest.skip(f"no museum's table at {table}")
        yield [f"catalog.source={table}", "catalog.sample=2", "catalog.download.enabled=false"]
    else:
        images = folder / "images"
        images.mkdir()
        for number in range(3):
            (images / f"{number}.jpg").write_bytes(image_bytes(1, number))
        rows = "".join(f"{n},Title,Artist,1900,{n}.jpg\n" for n in range(3))
        table = folder / "collection.csv"
        table.write_text(f"inventory_number,title,artist,year,file\n{rows}")
        local = [f"catalog.source={images}", "storage.endpoint_url=null"]
        yield [f"catalog.source={table}", f"catalog.images={images}"] if name == "table" else local


def test_there_is_an_example_of_each_kind() -> None:
    names = {path.stem for path in EXAMPLES.iterdir()}
    assert names == {"folder", "table", "iiif", "museum", "cluster"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["folder", "table", "iiif", "museum", "cluster"])
def test_an_example_passes_its_check(name: str, tmp_path: Path) -> None:
    file = EXAMPLES / f"{name}.yaml"
    check_names(load_config(file))  # its own networks and profiles
    with collection_for(name, tmp_path) as words:
        checked = check(load_config(file, [f"root={tmp_path}/root", *SMALL, *words]))
    faults = {line.subject for line in checked.lines if line.state == "wrong"}
    assert faults == ({"images"} if name == "museum" else set())  # those are not downloaded here
    assert any(line.subject == "catalog" and line.state == "right" for line in checked.lines)

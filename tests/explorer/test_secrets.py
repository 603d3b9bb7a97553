"""Nothing that is published names a place on the server or an operational setting."""

from __future__ import annotations

import io
import json
import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient
from pydantic import BaseModel

from simsearch.explorer.atlas import export_atlas
from simsearch.explorer.export import export_site
from simsearch.explorer.server.app import create_app
from simsearch.settings.config import OPERATIONAL, Config
from simsearch.snapshots.snapshot import Snapshot
from tests.support.explorer_site import GIVEN, publish_gallery, settings
from tests.support.gallery import picture_bytes

MARKER = "zqsecretzq"
PLACES = {
    "catalog.source": f"s3://{MARKER}/{MARKER}/museum/artworks.csv",
    "catalog.images": f"/srv/{MARKER}/images",
    "extract.weights": ["random:0", f"/srv/{MARKER}/weights"],
    "extract.weights_for": {GIVEN: [f"/srv/{MARKER}/other"]},
}
SEVERAL = re.compile(r"""(?:href|src|action)="([^"#]+)""")
MOST_PAGES = 150


def texts(section: BaseModel, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each setting below a section that takes text, and the marker in its form."""
    for name, field in type(section).model_fields.items():
        value, place = getattr(section, name), f"{path}{name}"
        if isinstance(value, BaseModel):
            yield from texts(value, f"{place}.")
        elif "tuple[str" in str(field.annotation):
            yield place, [MARKER]
        elif field.annotation is str or "str | None" in str(field.annotation):
            yield place, MARKER


def marked(config: Config) -> Config:
    """The settings with a marker in each operational text and in each place."""
    values = config.model_dump()
    sections = [(f"{name}.", getattr(config, name)) for name in OPERATIONAL]
    sections.append(("catalog.download.", config.catalog.download))
    planted = {place: value for path, section in sections for place, value in texts(section, path)}
    assert planted.keys() >= {
        "storage.endpoint_url", "monitoring.on_failure", "monitoring.pushgateway", "ray.address",
        "catalog.download.contact", "explore.hosts", "storage.region",
    }  # fmt: skip
    for place, value in (planted | PLACES).items():
        *parents, last = place.split(".")
        target = values
        for parent in parents:
            target = target[parent]
        target[last] = value
    return Config.model_validate(values)


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, Snapshot]:
    """A gallery below a folder whose name is a marker too."""
    folder: Path = tmp_path_factory.mktemp(MARKER)
    config = marked(settings(str(folder / "data")))
    return config, publish_gallery(config, folder / "gallery", 8)


def reveal(data: bytes) -> str:
    """All that a file says, Parquet read through."""
    text = data.decode(errors="replace")
    if data[:4] == b"PAR1":
        text += str(pq.read_table(io.BytesIO(data)).to_pylist())
    return text


@pytest.mark.slow
def test_a_snapshot_keeps_no_operational_setting(secret: tuple[Config, Snapshot]) -> None:
    _, snapshot = secret
    for path in (snapshot.plan_path, snapshot.manifest_path):
        kept = json.dumps(snapshot.storage.read_json(path))
        for place in PLACES.values():
            kept = kept.replace(json.dumps(place)[1:-1], "")
        assert MARKER not in kept.replace(json.dumps(snapshot.storage.root)[1:-1], ""), path


@pytest.mark.slow
def test_static_copies_name_no_place(secret: tuple[Config, Snapshot], tmp_path: Path) -> None:
    config, _ = secret
    export_site(config, [config.root], str(tmp_path / "public"))
    export_atlas(config, [config.root], str(tmp_path / "atlas"))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 50
    for path in files:
        assert MARKER not in reveal(path.read_bytes()), path


@pytest.mark.slow
def test_no_answer_of_the_explorer_names_a_place(secret: tuple[Config, Snapshot]) -> None:
    config, snapshot = secret
    snapshot.storage.write_bytes("sets/" + "a" * 16 + ".json", b"{")
    Path(snapshot.storage.root.removeprefix("file://")).parent.joinpath("gallery/000.png").unlink()
    app = create_app(config, [config.root])
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        artwork = "a/001?&é"
        waiting = deque(["/", "/sets", "/api", "/api/v1/openapi.json", "/api/v1/rejects", "/runs"])
        waiting += ["/set.csv?ids=AA", "/set.parquet?ids=AA", "/set/manifest.json?ids=AA"]
        waiting += ["/api/v1/snapshots", "/api/v1/metrics", "/api/v1/artworks", "/findings"]
        waiting += [f"/tables/rejects.{kind}" for kind in ("csv", "parquet")]
        waiting += ["/set?set_id=" + "a" * 16, "/thumbnails/x-1.webp", "/artwork?id=x"]
        seen = set(waiting)
        answers = [client.post("/api/v1/query", content=picture_bytes())]
        answers.append(client.get("/api/v1/neighbours", params={"id": artwork}))
        while waiting and len(answers) < MOST_PAGES:
            address = waiting.popleft()
            answer = client.get(address)
            answers.append(answer)
            if answer.headers.get("content-type", "").startswith("text/html"):
                for link in SEVERAL.findall(answer.text):
                    target = urljoin(address, link.replace("&amp;", "&"))
                    if target.startswith("/") and target not in seen:
                        seen.add(target)
                        waiting.append(target)
    assert {answer.status_code for answer in answers} >= {200, 404}
    for answer in answers:
        said = reveal(answer.content) + str(answer.headers)
        assert MARKER not in said, (answer.url, said[max(0, said.find(MARKER) - 200) :][:300])

"""Shared by the explorer's tests: a published snapshot of given features, and a running server.

The snapshot is made of pictures drawn here. One space is a real small network, asked for the
originals only; the other's vectors are made up. Titles are hostile on purpose.
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
import uvicorn
from fastapi import FastAPI
from PIL import Image, ImageDraw

from simsearch import schemas
from simsearch.catalog.stored import write_catalog
from simsearch.encoders.encoder import Running
from simsearch.encoders.registry import get_encoder
from simsearch.evaluation.metrics import ranking_measures, summary
from simsearch.evaluation.scoring import rankings, study_scores
from simsearch.features import store as feature_store
from simsearch.features.space import FeatureSpace
from simsearch.features.vectors import unit_rows
from simsearch.images.decode import decode
from simsearch.images.identity import content_hash
from simsearch.indexes.exact import Neighbours, exact_search
from simsearch.indexes.write import write_index
from simsearch.maps.projection import project, projection_table
from simsearch.neighbours.numbering import NEIGHBOURHOOD_KS, NumberedImages
from simsearch.neighbours.search import neighbours_table
from simsearch.reading import picture_query
from simsearch.runs.versions import environment
from simsearch.schemas import image_id
from simsearch.settings.config import Config, load_config
from simsearch.snapshots import snapshot as snapshots
from simsearch.snapshots.layout import ORIGINALS
from simsearch.snapshots.published import point_latest
from simsearch.snapshots.root import open_root
from simsearch.snapshots.snapshot import Snapshot
from simsearch.storage.storage import Storage
from tests.support.explorer_findings import HEAD, labels, near_duplicates, rejects_of, teach

CHROMIUM = Path("/usr/bin/chromium")
INSTALL = "apt-get install chromium"
HOSTILE = "<script>document.title='owned'</script><img src=x onerror=alert(1)>"
PROFILES = ("grayscale", "downscale", "sharpen")
NETWORK, GIVEN = "squeezenet1_1", "resnet18"  # vectors by a real network, and made up


Vectors = npt.NDArray[Any]
Rows = list[dict[str, Any]]


def need_chromium() -> str:
    """The path of Debian's browser. Skips without it; fails in CI, which installs it."""
    path = shutil.which("chromium") or (str(CHROMIUM) if CHROMIUM.exists() else None)
    if path is None:
        reason = f"no chromium; to run these tests: {INSTALL}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return path


def settings(root: str, *words: str) -> Config:
    given = [
        f"root={root}",
        "catalog.reader=table",
        "catalog.source=gallery/artworks.csv",
        f"perturbations.profiles=[{','.join(PROFILES)}]",
        f"extract.backbones=[{NETWORK},{GIVEN}]",
        "extract.weights=['random:0']",
        "evaluate.bootstrap=50",
        "evaluate.neighbours=6",
        "projection.methods=[pca]",
    ]
    return load_config(None, [*given, *words])


def draw_pictures(folder: Path, count: int) -> list[Path]:
    """Pictures that differ in shape and colour, some wide, some tall."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(3)
    paths = []
    for number in range(count):
        size = ((240, 160), (150, 240), (200, 200))[number % 3]
        picture = Image.new(
            "RGB", size, tuple(int(channel) for channel in random.integers(60, 255, 3))
        )
        pen = ImageDraw.Draw(picture)
        for _ in range(6):
            x, y, w, h = random.integers(0, 150, 4)
            colour = tuple(int(channel) for channel in random.integers(0, 255, 3))
            pen.ellipse((int(x), int(y), int(x + w), int(y + h)), fill=colour)
        path = folder / f"{number:03}.png"
        picture.save(path)
        paths.append(path)
    return paths


def artworks(pictures: list[Path], edit: Callable[[Rows], None] | None = None) -> pa.Table:
    rows: Rows = [
        {
            "artwork_id": f"a/{number:03}?&{'é' if number % 2 else 'e'}",
            "title": HOSTILE if number == 0 else f"Étude no. {number}",
            "artists": ["Ada Löwe"] if number % 4 else ["Bo & <b>Co</b>"],
            "date": f"c. {1850 + number}",
            "medium": "oil on canvas" if number % 3 else "etching",
            "dimensions": "30 × 40 cm",
            "credit": "Public domain" if number == 0 else None,
            "url": "javascript:alert(1)" if number == 0 else "https://museum.example/1",
            "image_uri": path.as_uri(),
            "etag": str(number),
        }
        for number, path in enumerate(pictures)
    ]
    if edit is not None:
        edit(rows)
    return pa.Table.from_pylist(rows, schema=schemas.CATALOG)


def images_of(table: pa.Table, profiles: tuple[str, ...]) -> pa.Table:
    """schemas.IMAGES: every artwork's original, and copies of the first half of them."""
    rows = []
    for number, row in enumerate(table.to_pylist()):
        data = Path(row["image_uri"].removeprefix("file://")).read_bytes()
        for profile in (None, *(profiles if number < table.num_rows / 2 else ())):
            rows.append(
                {
                    "image_id": image_id(row["artwork_id"], profile),
                    "artwork_id": row["artwork_id"],
                    "profile": profile,
                    "content_hash": content_hash(data),
                }
            )
    rows.sort(key=lambda row: str(row["image_id"]))
    return pa.Table.from_pylist(rows, schema=schemas.IMAGES)


def vectors_of(images: pa.Table, base: dict[str, Vectors]) -> Vectors:
    """Each original's own vector; copies near it, but the last profile's somewhere else entirely."""
    random = np.random.default_rng(5)
    vectors = []
    for row in images.to_pylist():
        own = base[row["artwork_id"]]
        noise = random.normal(size=len(own)) * np.linalg.norm(own) / np.sqrt(len(own))
        if row["profile"] == PROFILES[-1]:
            vectors.append(noise)
        else:
            vectors.append(own if row["profile"] is None else own + 0.0001 * noise)
    return np.asarray(vectors, dtype=np.float32)


def made_up(table: pa.Table, dimension: int) -> dict[str, Vectors]:
    random = np.random.default_rng(dimension)
    ids = table["artwork_id"].to_pylist()
    return {image_id: random.normal(size=dimension).astype(np.float32) for image_id in ids}


def by_network(table: pa.Table, config: Config) -> tuple[dict[str, Vectors], str]:
    """Every original's vector by the untrained small network, and its weights' digest."""
    specification = get_encoder(NETWORK, config.storage)
    weights = specification.weights(["random:0"], config.storage)
    preprocessing = specification.preprocessing
    vectors = {}
    with picture_query._ONE_AT_A_TIME:  # an explorer of this process may be loading its networks
        network = specification.load(weights, Running(preprocessing))
        for row in table.to_pylist():
            data = Path(row["image_uri"].removeprefix("file://")).read_bytes()
            picture = decode(data, max_pixels=10**6, max_bytes=10**6, background="#ffffff")
            vectors[row["artwork_id"]] = network(preprocessing.pixels(picture)[None])[0]
    return vectors, weights.digest


def space_of(name: str, dimension: int, digest: str, head_digest: str) -> FeatureSpace:
    return FeatureSpace(
        name=name, encoder=name, layer="given", dimension=dimension, weights_source="given",
        weights_digest=digest, trained=name != NETWORK, preprocessing="given",
        mode="eval", precision="float32", background="#ffffff", perturbations="given",
        head=HEAD if name == GIVEN else None, head_digest=head_digest if name == GIVEN else None,
    )  # fmt: skip


def publish_gallery(
    config: Config,
    folder: Path,
    count: int = 24,
    edit: Callable[[Rows], None] | None = None,
    pairs: Callable[[pa.Table], pa.Table] = near_duplicates,
) -> Snapshot:
    """A whole published snapshot of pictures drawn into `folder`; `edit` changes catalog rows first, `pairs` makes
    the near-duplicates of a catalog."""
    table = artworks(draw_pictures(folder, count), edit)
    images = images_of(table, PROFILES)
    storage = Storage(config.root, config.storage)
    open_root(storage)
    rejects = rejects_of(storage, folder)
    seen, digest = by_network(table, config)
    invented = made_up(table, 24)
    vectors = {NETWORK: vectors_of(images, seen), GIVEN: vectors_of(images, invented)}
    head_digest = teach(storage, HEAD)
    spaces = tuple(
        space_of(name, matrix.shape[1], digest, head_digest) for name, matrix in vectors.items()
    )
    catalog_id = write_catalog(storage, table)
    reasons = dict.fromkeys(vectors, "as given")
    snapshot = snapshots.write_plan(
        storage, config, catalog_id, spaces, reasons, images, rejects, table.num_rows + 1
    )
    measured = [_fill(config, snapshot, space, images, vectors[space.name]) for space in spaces]
    storage.write_table(snapshot.near_duplicates_path, pairs(table))
    storage.write_table(snapshot.confusers_path, labels(table))
    storage.write_table(snapshot.metrics_path, pa.concat_tables(measured))
    snapshots.seal(snapshot, [], environment())
    point_latest(snapshot, 1)
    return snapshot


def _fill(
    config: Config, snapshot: Snapshot, space: FeatureSpace, images: pa.Table, vectors: Vectors
) -> pa.Table:
    storage = snapshot.storage
    feature_store.write_shard(storage, space, images, vectors)
    write_index(
        storage, snapshot.index_folder(space.name), images, vectors, space,
        trees=10, seed=1, neighbours=config.evaluate.neighbours, target_recall=0.99,
    )  # fmt: skip
    originals = np.flatnonzero(images["profile"].is_null().to_numpy())
    units = unit_rows(vectors)
    nearest = exact_search(units, units[originals], config.evaluate.neighbours + 1)
    dropped = Neighbours(nearest.items[:, 1:], nearest.distances[:, 1:])
    ids = images["image_id"].to_numpy()
    for search in ("annoy", "exact"):
        rows = neighbours_table(space.name, search, ids, originals, dropped)
        if search == "annoy" and space.name == GIVEN:
            rows = rows.slice(1)  # as if the index had missed the first artwork's nearest
        storage.write_table(snapshot.neighbours_path(space.name, search), rows)
    alone = exact_search(units[originals], units[originals], NEIGHBOURHOOD_KS[-1] + 1)
    among = Neighbours(originals[alone.items[:, 1:]], alone.distances[:, 1:])
    rows = neighbours_table(space.name, ORIGINALS, ids, originals, among)
    storage.write_table(snapshot.neighbours_path(space.name, ORIGINALS), rows)
    chosen = images.take(pa.array(originals))
    points = project(vectors[originals], "pca", settings=config.projection, seed=1)
    storage.write_table(
        snapshot.projection_path(space.name, "pca"), projection_table(chosen, points)
    )
    return _metrics(config, space, images, dropped)


def _metrics(
    config: Config, space: FeatureSpace, images: pa.Table, retrieved: Neighbours
) -> pa.Table:
    numbered = NumberedImages.of(images, PROFILES)
    by_index = list(study_scores(numbered, retrieved, config.evaluate.ks))
    measured = list(by_index)
    if by_index:
        for group, ranking, _ in rankings(numbered, retrieved, config.evaluate.neighbours):
            measured += ranking_measures(group, ranking)
    return pa.concat_tables(
        summary(scores, space=space.name, search=search, bootstrap=50, seed=1)
        for search, scores in (("annoy", by_index), ("exact", measured))
    )


@contextmanager
def running(app: FastAPI) -> Iterator[str]:
    """The address of the application behind a real server."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    deadline = time.monotonic() + 30
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    assert server.started
    yield address
    server.should_exit = True
    thread.join(timeout=20)
    for other in threading.enumerate():
        if other.name == picture_query.WARMING:  # in the way of the next test's networks
            other.join(timeout=60)

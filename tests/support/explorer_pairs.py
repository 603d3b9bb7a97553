"""A gallery with pictures of which geometry knows how one lies on another: a changed copy that is listed, one that
is not, a flat picture, another work."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from PIL import Image, ImageDraw

from simsearch import schemas
from simsearch.features.points import StoredPoints
from simsearch.geometry.agreement import agree
from simsearch.geometry.false_alarms import Chance
from simsearch.geometry.points import points_of
from simsearch.geometry.relations import relation_of
from simsearch.images.identity import content_hash
from simsearch.neighbours.chance import CollectionChance, write_chance
from simsearch.settings.config import Config
from simsearch.snapshots.snapshot import Snapshot
from tests.support.explorer_site import Rows, publish_gallery

FIRST, COPY, ASKED, FLAT, ANOTHER = (f"a/{n:03}?&{'é' if n % 2 else 'e'}" for n in range(5))
SIZE, COPY_SIZE = (1120, 840), (540, 420)
# From pixels of the first picture to pixels of its copy: mirrored, turned, reduced and cropped.
SCALE, TURNED = 0.62, np.radians(9)
TRUE: npt.NDArray[np.float64] = np.array(
    [
        [-SCALE * np.cos(TURNED), SCALE * np.sin(TURNED), 572.0],
        [SCALE * np.sin(TURNED), SCALE * np.cos(TURNED), -101.0],
        [0.0, 0.0, 1.0],
    ]
)
MARK = (600, 450)  # a disc of a colour of its own, in the first picture
FALSE_ALARMS = 3e-9


def drawn(seed: int, size: tuple[int, int] = SIZE) -> Image.Image:
    """A picture of many shapes, which has corners to be recognised by, and of no magenta but the mark."""
    random = np.random.default_rng(seed)
    picture = Image.new("RGB", size, (210, 200, 180))
    pen = ImageDraw.Draw(picture)
    for _ in range(220):
        x, y, width, height = (random.random(4) * (*size, size[0] / 8, size[0] / 8)).tolist()
        shape = pen.ellipse if random.random() < 0.5 else pen.rectangle
        shape((x, y, x + width, y + height), fill=tuple(random.integers(90, 255, 3).tolist()))
    x, y = MARK
    pen.ellipse((x - 40, y - 40, x + 40, y + 40), fill="black")
    pen.ellipse((x - 16, y - 16, x + 16, y + 16), fill="magenta")
    return picture


def copied(picture: Image.Image) -> Image.Image:
    back = np.linalg.inv(TRUE)
    return picture.transform(
        COPY_SIZE, Image.Transform.AFFINE, back[:2].ravel().tolist(), Image.Resampling.BICUBIC
    )


def publish_pairs(config: Config, folder: Path) -> Snapshot:
    """A gallery of six artworks: FIRST, its COPY, a crop that is ASKED for only, a FLAT picture, ANOTHER work, and
    one whose points are not stored."""
    folder.mkdir(parents=True)
    first = drawn(1)
    pictures = [
        first,
        copied(first),
        first.crop((100, 80, 1000, 800)),
        Image.new("RGB", (400, 300), "gray"),
        drawn(2),
    ]
    paths = [folder / f"picture-{number}.png" for number in range(len(pictures))]
    for picture, path in zip(pictures, paths, strict=True):
        picture.save(path)
    points = {
        content_hash(path.read_bytes()): points_of(np.asarray(picture))
        for picture, path in zip(pictures, paths, strict=True)
    }

    def edit(rows: Rows) -> None:
        for row, path in zip(rows, paths, strict=False):
            row["image_uri"] = path.as_uri()

    def pairs(_: pa.Table) -> pa.Table:
        agreement = agree(*list(points.values())[:2])
        assert agreement is not None
        row = {
            "artwork_id": FIRST, "other_id": COPY, "relation": relation_of(agreement).value,
            "inliers": agreement.inliers, "false_alarms": FALSE_ALARMS,
            "mirrored": agreement.mirrored, "share": agreement.share_a,
            "other_share": agreement.share_b, "transform": agreement.transform.ravel().tolist(),
        }  # fmt: skip
        return pa.Table.from_pylist([row], schema=schemas.NEAR_DUPLICATES)

    snapshot = publish_gallery(config, folder / "gallery", 6, edit, pairs)
    stored = StoredPoints.of(config, snapshot.storage)
    assert stored is not None
    stored.write(points)
    write_chance(snapshot, CollectionChance(Chance(0.02, 1.0), 1000), {})
    return snapshot

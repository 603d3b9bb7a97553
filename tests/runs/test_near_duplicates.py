"""Which artworks a run lists as near-duplicates: those with equal bytes, and those that geometry verifies.
No network has a say, and nothing is compared twice."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from onnx import helper, numpy_helper
from PIL import Image, ImageDraw, ImageOps

import simsearch
from simsearch.features.collapse import find_collapsed
from simsearch.images.identity import content_hash
from simsearch.judgements.verdicts import Given, Verdict, add_verdicts
from simsearch.runs import job
from simsearch.snapshots.snapshot import Snapshot
from simsearch.storage.storage import Storage
from tests.support import onnx_files
from tests.support.small_runs import config_for

pytestmark = [pytest.mark.usefixtures("ray_local"), pytest.mark.slow]

WORKS = 8
KEYS = {"points": ["content_hash"], "agreements": ["first_hash", "second_hash"]}


def drawn(seed: int) -> Image.Image:
    """A picture of many shapes, which has corners to be recognised by."""
    random = np.random.default_rng(seed)
    picture = Image.new("RGB", (480, 360), tuple(random.integers(0, 255, 3).tolist()))
    pen = ImageDraw.Draw(picture)
    for _ in range(150):
        x, y, width, height = (random.random(4) * (480, 360, 70, 70)).tolist()
        shape = pen.ellipse if random.random() < 0.5 else pen.rectangle
        shape((x, y, x + width, y + height), fill=tuple(random.integers(0, 255, 3).tolist()))
    return picture


def jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


EDITS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "small": lambda picture: picture.resize((288, 216)),
    "cropped": lambda picture: picture.crop((60, 40, 460, 350)),
    "grey": lambda picture: picture.convert("L").convert("RGB"),
}
PLANTED = {("00", "00-again"), ("01", "01-small"), ("02", "02-cropped"), ("03", "03-grey")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Works, the bytes of one under a second name, and changed copies of three."""
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(WORKS):
        (folder / f"{number:02}.jpg").write_bytes(jpeg(drawn(number)))
    (folder / "00-again.jpg").write_bytes(jpeg(drawn(0)))
    for number, (name, edit) in enumerate(EDITS.items(), start=1):
        (folder / f"{number:02}-{name}.jpg").write_bytes(jpeg(edit(drawn(number))))
    return folder


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("root")


def run(root: Path, folder: Path, *settings: str) -> Snapshot:
    words = ["catalog.reader=folder", f"catalog.source={folder}", "projection.methods=[]"]
    config = config_for(str(root), *words, "perturbations.profiles=[grayscale]", *settings)
    return job.run(config).snapshot


def listed(snapshot: Snapshot) -> set[tuple[str, str]]:
    table = snapshot.storage.read_table(snapshot.near_duplicates_path)
    pairs = [sorted((row["artwork_id"], row["other_id"])) for row in table.to_pylist()]
    assert len(pairs) == len({tuple(pair) for pair in pairs})
    return {(first, second) for first, second in pairs}


def keys(root: Path, kind: str) -> set[tuple[str, ...]]:
    """The keys of all rows of `points` or of `agreements`."""
    storage = Storage(str(root))
    tables = [storage.read_table(f"{kind}/{f.path}", KEYS[kind]) for f in storage.files(kind)]
    rows = [tuple(row.values()) for row in pa.concat_tables(tables).to_pylist()]
    assert len(rows) == len(set(rows))
    return set(rows)


def files(root: Path) -> dict[str, float]:
    storage = Storage(str(root))
    return {f"{kind}/{info.path}": info.modified for kind in KEYS for info in storage.files(kind)}


def test_planted_copies_are_listed_and_nothing_else_though_no_network_is_trained(
    root: Path, folder: Path
) -> None:
    snapshot = run(root, folder)
    assert listed(snapshot) == PLANTED
    assert len(keys(root, "points")) == WORKS + len(EDITS)
    rows = snapshot.storage.read_table(snapshot.near_duplicates_path).to_pylist()
    assert all(row["false_alarms"] < 1 for row in rows if row["relation"] != "same file")
    page = snapshot.storage.read_bytes(snapshot.report_path).decode()
    assert "Networks play no part" in " ".join(page.split())


def test_another_run_compares_nothing_again(root: Path, folder: Path) -> None:
    before = files(root)
    snapshot = run(root, folder, "evaluate.bootstrap=51")
    assert files(root) == before
    assert listed(snapshot) == PLANTED


@pytest.mark.parametrize(
    ("number", "edit", "relation", "mirrored"),
    [
        (4, lambda picture: ImageOps.mirror(picture), "mirrored", True),
        (5, lambda picture: ImageOps.flip(picture), "mirrored", True),
        (6, lambda picture: picture.crop((60, 40, 460, 350)), "edited", False),
        (7, lambda picture: picture.crop((0, 0, 240, 250)), "detail of", False),
    ],
    ids=["mirrored", "turned over", "cropped", "detail"],
)
def test_a_changed_copy_is_recognised_by_a_query(
    root: Path,
    folder: Path,
    tmp_path: Path,
    number: int,
    edit: Callable[[Image.Image], Image.Image],
    relation: str,
    mirrored: bool,
) -> None:
    collection = simsearch.open(root)
    (tmp_path / "photo.jpg").write_bytes(jpeg(edit(drawn(number))))
    (same,) = collection.same_pictures(tmp_path / "photo.jpg")
    assert (same.artwork.artwork_id, same.relation) == (f"{number:02}", relation)
    assert same.mirrored == mirrored
    assert same.inliers is not None
    assert same.inliers > 20
    assert same.false_alarms is not None
    assert same.false_alarms < 1e-3


def test_a_query_names_equal_bytes_first_and_no_other_work(
    root: Path, folder: Path, tmp_path: Path
) -> None:
    collection = simsearch.open(root)
    same = collection.same_pictures(folder / "00.jpg")
    named = [(own.artwork.artwork_id, own.relation) for own in same]
    assert named == [("00", "same file"), ("00-again", "same file")]
    (tmp_path / "other.jpg").write_bytes(jpeg(drawn(99)))
    assert collection.same_pictures(tmp_path / "other.jpg") == ()


def test_what_is_lost_is_made_again_with_the_same_pairs(root: Path, folder: Path) -> None:
    """As after a run that was killed: some points and some comparisons are stored."""
    before = {kind: keys(root, kind) for kind in KEYS}
    storage = Storage(str(root))
    for kind, names in KEYS.items():
        lost = pa.array(sorted({key[0] for key in before[kind]})[::2])
        for info in storage.files(kind):
            table = storage.read_table(f"{kind}/{info.path}")
            kept = table.filter(pc.invert(pc.is_in(table[names[0]], value_set=lost)))
            storage.write_table(f"{kind}/{info.path}", kept)
        assert 0 < len(keys(root, kind)) < len(before[kind])
    snapshot = run(root, folder, "evaluate.bootstrap=52")
    assert {kind: keys(root, kind) for kind in before} == before
    assert listed(snapshot) == PLANTED


def test_one_picture_more_costs_its_own_points_and_pairs(root: Path, folder: Path) -> None:
    before = {kind: keys(root, kind) for kind in KEYS}
    data = jpeg(EDITS["cropped"](drawn(5)))
    (folder / "05-more.jpg").write_bytes(data)
    try:
        snapshot = run(root, folder, "evaluate.bootstrap=52")
    finally:
        (folder / "05-more.jpg").unlink()
    assert listed(snapshot) == PLANTED | {("05", "05-more")}
    assert keys(root, "points") - before["points"] == {(content_hash(data),)}
    new_pairs = keys(root, "agreements") - before["agreements"]
    assert new_pairs
    assert all(content_hash(data) in pair for pair in new_pairs)


def test_a_verdict_is_used_by_the_next_night_and_may_be_withdrawn(root: Path, folder: Path) -> None:
    storage = Storage(str(root))
    before = run(root, folder, "evaluate.bootstrap=53")
    pair = content_hash(jpeg(drawn(6))), content_hash(jpeg(drawn(7)))
    at = "2026-01-01T00:00:0{}.000000+00:00"
    add_verdicts(storage, [Given(*pair, Verdict.SAME_OBJECT, "Ada", at.format(1))])
    judged = run(root, folder, "evaluate.bootstrap=53")
    assert judged.snapshot_id != before.snapshot_id
    assert judged.storage.read_table(judged.verdicts_path).num_rows == 1
    add_verdicts(storage, [Given(*pair, None, "Ada", at.format(2))])
    assert run(root, folder, "evaluate.bootstrap=53").snapshot_id == before.snapshot_id


def test_a_watermark_on_many_works_is_listed_once_and_pairs_none(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Beside a copy of one of the marked works, which stays one picture."""
    folder = tmp_path_factory.mktemp("marked")
    mark = drawn(99).resize((180, 135))
    for number in range(WORKS):
        work = drawn(number)
        work.paste(mark, (work.width - 190, work.height - 145))
        (folder / f"{number:02}.jpg").write_bytes(jpeg(work))
    (folder / "00-small.jpg").write_bytes(jpeg(Image.open(folder / "00.jpg").resize((288, 216))))
    snapshot = run(tmp_path / "root", folder)
    assert listed(snapshot) == {("00", "00-small")}
    rows = snapshot.storage.read_table(snapshot.confusers_path).to_pylist()
    assert {row["confuser"] for row in rows} == {0}
    assert {row["artwork_id"] for row in rows} >= {f"{number:02}" for number in range(WORKS)}
    for left, top, width, height in (row["box"] for row in rows):
        assert min(left / 256, top / 192) > 0.5  # the lower right corner
        assert width * height > 0.5 * (180 * 135) * (256 / 480) ** 2


def test_without_geometry_only_equal_bytes_are_listed(root: Path, folder: Path) -> None:
    before = files(root)
    words = ("geometry.enabled=false", "publish.force=true")  # copies count as misses now
    assert listed(run(root, folder, *words)) == {("00", "00-again")}
    assert files(root) == before


def test_a_network_that_tells_nothing_apart_is_named_and_scores_as_chance(
    tmp_path: Path, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Beside a network that finds candidates: planted copies count neither for nor against it."""
    made = onnx_files.model()
    for weights in made.graph.initializer:
        if weights.name == "weight":
            weights.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weights) * 0, "weight"))
    made.graph.initializer.append(numpy_helper.from_array(np.ones(5, np.float32), "bias"))
    made.graph.node[-1].output[0] = "product"
    made.graph.node.append(helper.make_node("Add", ["product", "bias"], ["vector"]))
    constant = onnx_files.write(tmp_path / "network", made)
    networks = f"extract.backbones=['{constant}', efficientnet_lite0]"
    snapshot = run(tmp_path / "root", folder, networks, "evaluate.neighbours=20")
    assert listed(snapshot) == PLANTED
    metrics = snapshot.storage.read_table(snapshot.metrics_path)
    (name,) = find_collapsed(metrics)
    exact = {
        (row["metric"], row["k"]): row["mean"]
        for row in metrics.to_pylist()
        if (row["space"], row["search"], row["scope"]) == (name, "exact", "all")
    }
    # Twelve artworks with a copy each, of which eight show four pictures: 23 other images for the four
    # that stand alone, and two fewer for the others.
    works, paired = WORKS + len(EDITS) + 1, 2 * len(PLANTED)
    chance = ((works - paired) / (2 * works - 1) + paired / (2 * works - 3)) / works
    assert exact["recall", 5] == pytest.approx(5 * chance)
    assert exact["precision", 5] == pytest.approx(chance)
    words = snapshot.storage.read_bytes(snapshot.report_path).decode()
    assert "does not tell pictures apart" in words
    assert "does not tell pictures apart" in caplog.text

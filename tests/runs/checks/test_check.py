"""`simsearch check`: what is right, what is wrong and what to do, before the first hour is spent."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from simsearch.catalog.readers.generated import image_bytes
from simsearch.runs.checks.check import check
from simsearch.runs.checks.report import CheckLine, CheckReport
from simsearch.settings.config import Config, load_config
from simsearch.storage.storage import Storage
from tests.support.iiif_server import IiifServer
from tests.support.places import Place

SMALL = [
    "extract.backbones=[squeezenet1_1]",
    "extract.weights=['random:0']",
    "perturbations.profiles=[grayscale]",
]


def config_for(place: Place, *overrides: str) -> Config:
    """A table of six pictures in the place, and a root that does not exist yet."""
    storage = Storage(place.root, place.config).at("museum")
    for number in range(6):
        storage.write_bytes(f"scans/{number}.jpg", image_bytes(1, number))
    rows = "".join(f"{number},{number}.jpg\n" for number in range(6))
    storage.write_bytes("art.csv", f"artwork_id,image_uri\n{rows}7,\n".encode())
    endpoint = place.config.endpoint_url
    return load_config(
        None,
        [
            f"root={Storage(place.root).uri('root')}",
            "catalog.reader=table",
            f"catalog.source={storage.uri('art.csv')}",
            f"catalog.images={storage.uri('scans')}",
            *([f"storage.endpoint_url={endpoint}", "storage.attempts=2"] if endpoint else []),
            *SMALL,
            *overrides,
        ],
    )


def wrong(checked: CheckReport) -> list[CheckLine]:
    return [line for line in checked.lines if line.state == "wrong"]


@pytest.mark.slow
def test_a_good_config_can_start_and_nothing_is_left_behind(place: Place) -> None:
    config = config_for(place)
    checked = check(config)
    assert not wrong(checked)
    statements = " | ".join(f"{line.subject}: {line.statement}" for line in checked.lines)
    assert "catalog: 6 artworks" in statements
    assert "left out: 1 rows without an image (first: row 7, 7)" in statements
    assert "images: 6 of 6 are in the store" in statements
    assert "pictures: 6 of 6 tried can be read" in statements
    assert "UNTRAINED" in statements
    assert "estimate: 12 images through 1 encoder(s): about" in statements
    assert Storage(config.root, config.storage).files() == []
    if place.config.endpoint_url is None:
        assert not Path(Storage(config.root).root.removeprefix("file://")).exists()


@pytest.mark.slow
def test_an_encoder_that_the_run_learns_is_told_of_and_no_fault(tmp_path: Path) -> None:
    place = Place(str(tmp_path / "root"), Storage("/").config)
    learns = "extract.backbones=[squeezenet1_1,autoencoder]"
    checked = check(config_for(place, learns))
    assert not wrong(checked)
    statements = [f"{line.subject}: {line.statement}" for line in checked.lines]
    assert "autoencoder: the run learns it from the collection, in 8 epochs" in statements
    assert any("through 2 encoder(s)" in text for text in statements)
    assert any("without autoencoder, not measured" in text for text in statements)
    (line,) = wrong(check(config_for(place, learns, "extract.preprocessing=study-2018")))
    assert "study-2018 does not fit autoencoder" in line.statement


@pytest.mark.slow
@pytest.mark.parametrize(
    ("override", "subject", "statement", "advice"),
    [
        ("catalog.reader=louvre", "settings", "no reader named 'louvre'", ""),
        (
            "catalog.images={museum}/pictures",
            "catalog",
            "none of 6 named images",
            "catalog.images=",
        ),
        ("catalog.source={museum}/nothing.csv", "catalog", "nothing there", "check the path"),
        ("catalog.columns={{title: name}}", "catalog", "has no column name", "it has"),
        ("root={museum}", "storage", "holds files that are not simsearch's", "choose an empty"),
        ("extract.weights=[{museum}]", "squeezenet1_1", "no weights", ""),
        ("extract.backbones=[vgg17]", "vgg17", "no encoder named 'vgg17'", ""),
        ("perturbations.profiles=[blurry]", "perturbations", "no perturbation profile", ""),
    ],
)
def test_what_is_wrong_is_named_with_what_to_do(
    override: str, subject: str, statement: str, advice: str, place: Place
) -> None:
    museum = Storage(place.root).uri("museum")
    checked = check(config_for(place, override.format(museum=museum)))
    assert checked.would_fail
    line = next(line for line in wrong(checked) if line.subject == subject)
    assert statement in line.statement
    assert advice in line.advice


@pytest.mark.slow
def test_damaged_pictures_are_found_by_the_sample(place: Place) -> None:
    config = config_for(place)
    storage = Storage(place.root, place.config).at("museum")
    for number in range(3):
        storage.write_bytes(f"scans/{number}.jpg", image_bytes(1, number)[:300])
    (line,) = wrong(check(config))
    assert line.subject == "pictures"
    assert line.statement.startswith("3 of 6 tried: broken (such as")


@pytest.mark.slow
def test_a_iiif_collection_is_sampled_and_nothing_of_it_is_kept(tmp_path: Path) -> None:
    with IiifServer(images=60, pages=2, version=3).running() as server:
        config = load_config(
            None,
            [
                f"root={tmp_path}/root",
                "catalog.reader=iiif",
                f"catalog.source={server.collection}",
                "catalog.download={enabled: true, private_networks: true, per_second: 1000}",
                *SMALL,
            ],
        )
        checked = check(config)
        assert len(server.asked_for("manifest")) == 24
    assert not wrong(checked)
    assert any("60 manifests in 3 collections" in line.statement for line in checked.lines)
    assert not (tmp_path / "root").exists()


@pytest.mark.slow
def test_it_needs_no_ray(tmp_path: Path) -> None:
    code = (
        "import sys; from simsearch.cli.main import exit_code\n"
        "print('code', exit_code(sys.argv[1:]), 'ray' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "check", f"root={tmp_path}/root", "catalog.size=4", *SMALL],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.stdout.strip().endswith("code 0 False"), done.stdout + done.stderr
    assert "the run can start" in done.stdout

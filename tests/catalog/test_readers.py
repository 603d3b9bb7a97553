"""Catalogs: each reader against files of its kind, quirks included."""

from __future__ import annotations

import csv
import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from simsearch import schemas
from simsearch.catalog import catalog
from simsearch.catalog.download import sniff
from simsearch.catalog.readers.generated import STYLES, describe, image_bytes
from simsearch.catalog.readers.moma import artists
from simsearch.config import load_config
from simsearch.errors import CatalogError, NotFoundError
from simsearch.storage.storage import Storage
from tests.support.places import Place


def jpeg(colour: str = "red") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(buffer, "JPEG")
    return buffer.getvalue()


def read(tmp_path: Path, *overrides: str) -> pa.Table:
    return catalog.read_catalog(load_config(None, [f"root={tmp_path / 'root'}", *overrides]))


# --- folder ---------------------------------------------------------------------------------------


def test_a_folder_gives_an_artwork_per_image_at_any_depth(tmp_path: Path) -> None:
    for name in ("b.JPG", "sub/view_of-delft.png", "twin.jpg", "twin.png", "notes.txt"):
        (tmp_path / "pictures" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pictures" / name).write_bytes(jpeg())
    table = read(tmp_path, "catalog.reader=folder", f"catalog.source={tmp_path}/pictures")
    assert table.schema == schemas.CATALOG
    assert table["artwork_id"].to_pylist() == ["b", "sub/view_of-delft", "twin.jpg", "twin.png"]
    assert table["title"].to_pylist()[1] == "view of delft"
    assert table["image_uri"].to_pylist()[0] == f"file://{tmp_path}/pictures/b.JPG"
    assert table["etag"].null_count == 0


def test_a_bucket_prefix_is_a_folder(s3_place: Place, tmp_path: Path) -> None:
    Storage(s3_place.root, s3_place.config).write_bytes("scans/a b.jpg", jpeg())
    table = read(
        tmp_path,
        "catalog.reader=folder",
        f"catalog.source={s3_place.root}/scans",
        f"storage.endpoint_url={s3_place.config.endpoint_url}",
    )
    assert table["image_uri"].to_pylist() == [f"{s3_place.root}/scans/a b.jpg"]


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_a_missing_or_empty_folder_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        CatalogError, match=rf"catalog\.source: .*{name} (does not exist|has no image files)"
    ):
        read(tmp_path, "catalog.reader=folder", f"catalog.source={tmp_path / name}")


# --- table ----------------------------------------------------------------------------------------


def test_a_table_maps_its_columns_and_keeps_text_as_text(tmp_path: Path) -> None:
    (tmp_path / "art.csv").write_text(
        'no,name,by,picture\n007,"A ""title"", <b>","Ann\nBob",one.jpg\n8,,,http://x.test/8.jpg\n'
    )
    (tmp_path / "one.jpg").write_bytes(jpeg())
    table = read(
        tmp_path,
        "catalog.reader=table",
        f"catalog.source={tmp_path}/art.csv",
        "catalog.columns={artwork_id: 'no', title: name, artists: by, image_uri: picture}",
    )
    first, second = table.to_pylist()
    assert (first["artwork_id"], first["title"], first["artists"]) == (
        "007",
        'A "title", <b>',
        ["Ann", "Bob"],
    )
    assert first["image_uri"] == f"file://{tmp_path}/one.jpg"
    assert first["etag"]
    assert (second["title"], second["artists"], second["image_uri"]) == (
        None,
        [],
        "http://x.test/8.jpg",
    )


def test_a_parquet_table_reads_like_a_csv(tmp_path: Path) -> None:
    rows = pa.table(
        {"artwork_id": [1, 2], "image_uri": ["a.jpg", "b.jpg"], "artists": [["Ann"], []]}
    )
    pq.write_table(rows, tmp_path / "art.parquet")
    table = read(tmp_path, "catalog.reader=table", f"catalog.source={tmp_path}/art.parquet")
    assert table["artwork_id"].to_pylist() == ["1", "2"]
    assert table["artists"].to_pylist() == [["Ann"], []]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("{artwork_id: nope}", "has no column nope; it has: artwork_id, x"),
        ("{colour: x}", "no catalog column colour; allowed: artwork_id"),
        ("{}", "which column is the image_uri"),
    ],
)
def test_a_wrong_column_is_named(tmp_path: Path, columns: str, message: str) -> None:
    (tmp_path / "art.csv").write_text("artwork_id,x\n1,2\n")
    with pytest.raises(CatalogError, match=message):
        read(
            tmp_path,
            "catalog.reader=table",
            f"catalog.source={tmp_path}/art.csv",
            f"catalog.columns={columns}",
        )


def test_an_id_that_occurs_twice_is_named(tmp_path: Path) -> None:
    (tmp_path / "art.csv").write_text("artwork_id,image_uri\n1,a.jpg\n1,b.jpg\n")
    with pytest.raises(CatalogError, match="artwork id '1' occurs twice"):
        read(tmp_path, "catalog.reader=table", f"catalog.source={tmp_path}/art.csv")


def test_the_real_paintings_read_whole(paintings: Path, tmp_path: Path) -> None:
    table = read(
        tmp_path,
        "catalog.reader=table",
        f"catalog.source={paintings}/artworks.csv",
        "catalog.columns={image_uri: file, artists: artist, dimensions: dimensions_cm, department: museum}",
    )
    assert table.num_rows == 5000
    assert table["etag"].null_count == 0


# --- MoMA -----------------------------------------------------------------------------------------

MOMA_COLUMNS = "Title,Artist,ConstituentID,ArtistBio,Nationality,BeginDate,EndDate,Gender,Date,Medium,Dimensions,CreditLine,AccessionNumber,Classification,Department,DateAcquired,Cataloged,ObjectID,URL"


def moma_record(number: int, **values: Any) -> dict[str, Any]:
    record = dict.fromkeys(MOMA_COLUMNS.split(","), "")
    return {
        **record,
        "Title": "T",
        "Artist": "A",
        "ConstituentID": "1",
        "ObjectID": str(number),
        **values,
    }


def write_moma_csv(path: Path, records: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(records[0]))
        writer.writeheader()
        writer.writerows(records)


@pytest.mark.parametrize("field", ["ImageURL", "ThumbnailURL"])
def test_momas_csv_and_json_say_the_same(tmp_path: Path, field: str) -> None:
    url = "http://www.moma.org/media/1.jpg"
    two = {"Artist": ["Ray Eames", "Pollock, Jr."], "ConstituentID": [11, 12]}
    records = [
        moma_record(2, Title="<em>Untitled</em>\nfrom a series", **{field: url}),
        moma_record(1, Title=" ", Date="1896", Medium="Ink", **{field: ""}),
        moma_record(3, **two, **{field: url}),
    ]
    (tmp_path / "Artworks.json").write_text(json.dumps(records), encoding="utf-8-sig")
    joined = {"Artist": "Ray Eames, Pollock, Jr.", "ConstituentID": "11, 12"}
    write_moma_csv(tmp_path / "Artworks.csv", [*records[:2], {**records[2], **joined}])
    tables = [
        read(tmp_path, "catalog.reader=moma", f"catalog.source={tmp_path}/Artworks.{kind}")
        for kind in ("json", "csv")
    ]
    for table in tables:
        assert table["artwork_id"].to_pylist() == ["2", "3"]  # 1 has no image
        assert table["title"].to_pylist()[0] == "<em>Untitled</em>\nfrom a series"
        assert table["image_uri"].to_pylist() == [url, url]
    assert tables[0]["artists"].to_pylist()[1] == ["Ray Eames", "Pollock, Jr."]
    assert tables[1]["artists"].to_pylist()[1] == [
        "Ray Eames, Pollock, Jr."
    ]  # three parts, two people


@pytest.mark.parametrize(
    ("names", "constituents", "expected"),
    [
        (["Ann", " ", None], "1", ["Ann"]),
        ("Ann, Bob", "1, 2", ["Ann", "Bob"]),
        ("Ann, Jr.", "1", ["Ann, Jr."]),
        ("", "", []),
        (None, None, []),
    ],
)
def test_joined_artists_are_split_when_the_counts_agree(
    names: Any, constituents: Any, expected: list[str]
) -> None:
    assert artists(names, constituents) == expected


def test_a_file_that_is_not_momas_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    (tmp_path / "x.json").write_text('{"a": 1}')
    (tmp_path / "y.json").write_text("[{")
    for name, message in (
        ("x.csv", "it has no ObjectID"),
        ("x.json", "a list of records"),
        ("y.json", "not valid JSON"),
    ):
        with pytest.raises(CatalogError, match=message):
            read(tmp_path, "catalog.reader=moma", f"catalog.source={tmp_path}/{name}")


# --- Open Clip Art --------------------------------------------------------------------------------

SVG = """<svg xmlns="http://www.w3.org/2000/svg" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:cc="http://web.resource.org/cc/" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><metadata><rdf:RDF>
<cc:Work><dc:title>A &lt;fine&gt; bee</dc:title><dc:subject><rdf:Bag><rdf:li>insect</rdf:li><rdf:li>animal</rdf:li>
</rdf:Bag></dc:subject><dc:creator><cc:Agent><dc:title>Ann</dc:title></cc:Agent></dc:creator></cc:Work></rdf:RDF>
</metadata></svg>"""

BOMB = '<!DOCTYPE s [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><svg>&b;</svg>'


def test_clip_art_is_described_by_its_svg(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name, svg in (("animals/bee_01", SVG), ("animals/bomb", BOMB), ("plants/bare", None)):
        for kind, data in (("png", jpeg()), ("svg", svg.encode() if svg else None)):
            path = tmp_path / kind / f"{name}.{kind}"
            path.parent.mkdir(parents=True, exist_ok=True)
            if data is not None:
                path.write_bytes(data)
    table = read(tmp_path, "catalog.reader=openclipart", f"catalog.source={tmp_path}/png")
    bee, bomb, bare = table.to_pylist()
    assert (bee["title"], bee["artists"], bee["subjects"]) == (
        "A <fine> bee",
        ["Ann"],
        ["insect", "animal"],
    )
    assert [one["classification"] for one in (bee, bomb, bare)] == ["animals", "animals", "plants"]
    assert (bomb["title"], bare["title"]) == ("bomb", "bare")
    assert "2 of 3 drawings have no readable SVG" in caplog.text


# --- generated ------------------------------------------------------------------------------------


def test_the_generated_collection_is_the_same_each_time_and_differs_by_seed(tmp_path: Path) -> None:
    first = read(tmp_path, "catalog.size=30")
    assert first.equals(read(tmp_path, "catalog.size=30"))
    assert len({image_bytes(71, number) for number in range(30)}) == 30
    assert image_bytes(71, 4) == image_bytes(71, 4) != image_bytes(72, 4)
    assert describe(71, 4) == describe(71, 4)
    assert set(first["classification"].to_pylist()) == set(STYLES)
    larger = read(tmp_path, "catalog.size=40")
    assert larger.slice(0, 30).equals(first)


def test_generated_images_are_in_the_store_and_open(tmp_path: Path) -> None:
    table = read(tmp_path, "catalog.size=20")
    modes = set()
    for uri in table["image_uri"].to_pylist():
        with Image.open(uri.removeprefix("file://")) as image:
            image.load()
            modes.add(image.mode)
    assert {"RGB", "P", "RGBA"} <= modes


# --- sampling and storing -------------------------------------------------------------------------


def test_a_sample_is_seeded_and_too_large_a_one_is_refused(tmp_path: Path) -> None:
    one, again, other = (
        read(tmp_path, "catalog.size=30", "catalog.sample=10", f"seed={seed}") for seed in (1, 1, 2)
    )
    assert one.num_rows == 10
    assert one["artwork_id"].equals(again["artwork_id"])
    assert not one["artwork_id"].equals(other["artwork_id"])
    with pytest.raises(CatalogError, match=r"catalog\.sample: 31 asked for, the collection has 30"):
        read(tmp_path, "catalog.size=30", "catalog.sample=31")


def test_a_catalog_is_stored_under_its_digest(place: Place) -> None:
    storage = Storage(place.root, place.config)
    with pytest.raises(NotFoundError, match="run `simsearch ingest` first"):
        catalog.load_catalog(storage)
    table = schemas.CATALOG.empty_table()
    first = catalog.write_catalog(storage, table)
    assert catalog.write_catalog(storage, table) == first
    assert catalog.load_catalog(storage) == (first, table)


# --- download -------------------------------------------------------------------------------------


class Museum(BaseHTTPRequestHandler):
    """Serves pictures and every kind of trouble, by path."""

    requests: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.requests.append(self.path)
        tries = self.requests.count(self.path)
        if self.path == "/busy.jpg" and tries < 3:
            return self._answer(429 if tries == 1 else 503, b"", {"Retry-After": "0"})
        if self.path == "/moved.jpg":
            return self._answer(302, b"", {"Location": "/good.jpg"})
        if self.path == "/loop.jpg":
            return self._answer(302, b"", {"Location": "/loop.jpg"})
        if self.path == "/large.jpg":
            return self._answer(200, jpeg() + b"\0" * 5000)
        if self.path == "/html.jpg":
            return self._answer(200, b"<html>not found</html>")
        if self.path == "/png.jpg":
            return self._answer(200, b"\x89PNG\r\n\x1a\n rest")
        if self.path == "/cut.jpg":
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(jpeg())
            return None
        return self._answer(404 if self.path == "/gone.jpg" else 200, jpeg())

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def museum() -> Iterator[str]:
    Museum.requests.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Museum)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_images_are_downloaded_and_trouble_costs_its_own_row(
    museum: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    names = ["good", "busy", "moved", "png", "gone", "html", "large", "cut", "loop"]
    lines = [f"../../{name},{museum}/{name}.jpg" for name in names]
    (tmp_path / "art.csv").write_text("artwork_id,image_uri\n" + "\n".join(lines) + "\n")
    config = load_config(
        None,
        [
            f"root={tmp_path}/root",
            "catalog.reader=table",
            f"catalog.source={tmp_path}/art.csv",
            "catalog.download={enabled: true, per_second: 500, attempts: 3, max_bytes: 4000, timeout: 5}",
        ],
    )
    _, table = catalog.ingest(config)
    places = dict(zip(table["artwork_id"].to_pylist(), table["image_uri"].to_pylist(), strict=True))
    stored = {
        name
        for name in names
        if places[f"../../{name}"].startswith(f"file://{tmp_path}/root/images/downloaded/")
    }
    assert stored == {"good", "busy", "moved", "png"}
    assert places["../../png"].endswith(".png")
    assert places["../../gone"] == f"{museum}/gone.jpg"
    assert "5 of 9 images failed" in caplog.text
    assert Museum.requests.count("/cut.jpg") == 3
    assert {path.suffix for path in (tmp_path / "root" / "images" / "downloaded").iterdir()} == {
        ".jpg",
        ".png",
    }
    Museum.requests.clear()
    catalog.ingest(config)
    assert not {"/good.jpg", "/busy.jpg", "/moved.jpg", "/png.jpg"} & set(Museum.requests)


def test_content_is_told_by_its_first_bytes() -> None:
    for kind, extension in (
        ("JPEG", "jpg"),
        ("PNG", "png"),
        ("GIF", "gif"),
        ("WEBP", "webp"),
        ("TIFF", "tif"),
        ("BMP", "bmp"),
    ):
        buffer = io.BytesIO()
        Image.new("RGB", (4, 4)).save(buffer, kind)
        assert sniff(buffer.getvalue()) == extension
    assert sniff(b"<svg>") is None

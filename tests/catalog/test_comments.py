"""Comment lines above a header are left out and said; a header that begins with "#" stays one."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from simsearch.catalog.notes import Notes
from simsearch.errors import CatalogError
from simsearch.settings.sections.operation import StorageConfig
from tests.support.catalogs import jpeg
from tests.support.odd_tables import put, read
from tests.support.places import Place


@pytest.fixture
def here(tmp_path: Path) -> Place:
    return Place(str(tmp_path / "root"), StorageConfig())


ROWS = "1,a.jpg,x\n2,a.jpg,y\n"


@pytest.mark.parametrize(
    ("above", "count"),
    [("# made 2024\n", 1), ("# made, by hand, in 2024, twice\n\n#b\n", 2), ("\n#\r\n", 1), ("", 0)],
)
def test_lines_above_the_header_are_left_out(here: Place, above: str, count: int) -> None:
    text = f"{above}artwork_id,image_uri,title\n{ROWS}"
    put(here, art__csv=text.encode(), a__jpg=jpeg())
    notes = Notes()
    table = read(here, "art.csv", notes=notes)
    assert table["artwork_id"].to_pylist() == ["1", "2"]
    said = [line for line in notes.lines if f"{count} lines above the header" in line]
    assert len(said) == bool(count)


@pytest.mark.parametrize("above", ["", "# made 2024\n"])
def test_a_header_may_begin_with_a_hash(here: Place, above: str) -> None:
    put(here, art__csv=f"{above}#,image_uri,title\n{ROWS}".encode(), a__jpg=jpeg())
    table = read(here, "art.csv", "catalog.columns={artwork_id: '#'}")
    assert table["artwork_id"].to_pylist() == ["1", "2"]


def test_a_text_of_comments_alone_is_no_table(here: Place) -> None:
    put(here, art__csv=b"# a\n# b\n")
    with pytest.raises(CatalogError, match=r"art\.csv"):
        read(here, "art.csv")


def test_a_cut_zip_archive_is_named_for_what_it_is(here: Place) -> None:
    for name, kind in (("art.csv", "a zip archive that is broken"), ("xl/workbook.xml", "Excel")):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(name, "artwork_id,image_uri\n" + ROWS * 100)
        put(here, art__zip=buffer.getvalue()[:-40])
        with pytest.raises(CatalogError, match=kind):
            read(here, "art.zip")

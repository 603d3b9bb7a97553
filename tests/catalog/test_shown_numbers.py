"""Numbers of workbooks keep the zeros that their sheets show."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from simsearch.catalog.notes import Notes
from simsearch.catalog.workbooks import read_workbook
from simsearch.errors import CatalogError
from tests.support.catalogs import read

SPACE = "http://schemas.openxmlformats.org"
OFFICE = "urn:oasis:names:tc:opendocument:xmlns"
# The format's code, the number as it is stored, and the text that a sheet shows.
NUMBERS = [
    ("0.00", "1999.1", "1999.10"),
    ("0.00", "1999.0999999999999", "1999.10"),
    ("00000", "123", "00123"),
    ("0000.0", "12.5", "0012.5"),
    ("General", "1999.1", "1999.1"),
    ("General", "7", "7"),
    ("#,##0.00", "1999.1", "1999.1"),
    ("0.0", "1999.25", "1999.25"),  # shown rounded: 1999.3 is another number
]


def excel() -> bytes:
    codes = list(dict.fromkeys(code for code, _, _ in NUMBERS))
    formats = "".join(
        f'<numFmt numFmtId="{200 + n}" formatCode="{c}"/>' for n, c in enumerate(codes)
    )
    styles = "".join(f'<xf numFmtId="{200 + n}"/>' for n, _ in enumerate(codes))
    rows = "".join(
        f'<row r="{y}"><c r="B{y}" s="{codes.index(code)}"><v>{number}</v></c>'
        f'<c r="C{y}" t="inlineStr"><is><t>http://x/{y}.jpg</t></is></c></row>'
        for y, (code, number, _) in enumerate(NUMBERS, start=4)
    )
    head = "".join(
        f'<c r="{x}3" t="inlineStr"><is><t>{name}</t></is></c>'
        for x, name in zip("BC", ["artwork_id", "image_uri"], strict=True)
    )
    main = f'xmlns="{SPACE}/spreadsheetml/2006/main"'
    kinds = f"{SPACE}/officeDocument/2006/relationships"
    relation = f'<Relationships xmlns="{SPACE}/package/2006/relationships">{{}}</Relationships>'
    return zipped(
        {
            "[Content_Types].xml": f'<Types xmlns="{SPACE}/package/2006/content-types"/>',
            "_rels/.rels": relation.format(
                f'<Relationship Id="r" Type="{kinds}/officeDocument" Target="xl/workbook.xml"/>'
            ),
            "xl/workbook.xml": f'<workbook {main} xmlns:r="{kinds}"><sheets><sheet name="Objekte" sheetId="1" r:id="r1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": relation.format(
                f'<Relationship Id="r1" Type="{kinds}/worksheet" Target="worksheets/sheet1.xml"/>'
                f'<Relationship Id="r2" Type="{kinds}/styles" Target="styles.xml"/>'
            ),
            "xl/styles.xml": f"<styleSheet {main}><numFmts>{formats}</numFmts><cellXfs>{styles}</cellXfs></styleSheet>",
            "xl/worksheets/sheet1.xml": f'<worksheet {main}><sheetData><row r="3">{head}</row>{rows}</sheetData></worksheet>',
        }
    )


def open_document() -> bytes:
    def text(value: str) -> str:
        return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'

    rows = "".join(
        f'<table:table-row><table:table-cell/><table:table-cell office:value-type="float" office:value="{number}">'
        f"<text:p>{'1,999.10' if code.startswith('#') else '1999.3' if code == '0.0' else shown}</text:p></table:table-cell>"
        f"{text(f'http://x/{y}.jpg')}</table:table-row>"
        for y, (code, number, shown) in enumerate(NUMBERS)
    )
    head = f"<table:table-row><table:table-cell/>{text('artwork_id')}{text('image_uri')}</table:table-row>"
    empty = '<table:table-row table:number-rows-repeated="2"><table:table-cell/></table:table-row>'
    spaces = " ".join(f'xmlns:{name}="{OFFICE}:{name}:1.0"' for name in ("office", "table", "text"))
    content = (
        f"<office:document-content {spaces}><office:body><office:spreadsheet>"
        f'<table:table table:name="Objekte">{empty}{head}{rows}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    manifest = f'<manifest:manifest xmlns:manifest="{OFFICE}:manifest:1.0"/>'
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": manifest,
            "content.xml": content,
        }
    )


def zipped(parts: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return buffer.getvalue()


@pytest.mark.parametrize("workbook", [excel(), open_document()], ids=["xlsx", "ods"])
def test_an_id_keeps_the_zeros_that_its_sheet_shows(tmp_path: Path, workbook: bytes) -> None:
    records, places = read_workbook("art", workbook, Notes())
    ids = [record["artwork_id"] for record in records]
    assert [f"{number:g}" if isinstance(number, float) else str(number) for number in ids] == [
        text for _, _, text in NUMBERS
    ]
    assert places[0] == "line 4 of sheet Objekte"
    (tmp_path / "art.data").write_bytes(workbook)
    with pytest.raises(CatalogError, match=r"'1999\.1(0)?' occurs twice: line \d of sheet Objekte"):
        read(tmp_path, "catalog.reader=table", f"catalog.source={tmp_path}/art.data")

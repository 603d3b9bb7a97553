"""Excel workbooks written part by part, so that any cell that the format allows can be in one."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import quoteattr

SPACE = "http://schemas.openxmlformats.org"


def text(place: str, value: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'


def rows(*cells: str) -> str:
    """The rows from 1 on, of the cells that each holds."""
    lines = (f'<row r="{number}">{row}</row>' for number, row in enumerate(cells, 1))
    return f"<sheetData>{''.join(lines)}</sheetData>"


def workbook(
    *sheets: str, formats: Sequence[str] = (), from_1904: bool = False, hidden: int = 0
) -> bytes:
    """A workbook of these sheets; style n is `formats[n]`, the first `hidden` sheets are hidden."""
    main = f'xmlns="{SPACE}/spreadsheetml/2006/main"'
    kinds = f"{SPACE}/officeDocument/2006/relationships"
    relation = f'<Relationships xmlns="{SPACE}/package/2006/relationships">{{}}</Relationships>'
    numbers = range(1, len(sheets) + 1)
    states = ["hidden" if n <= hidden else "visible" for n in numbers]
    named = "".join(
        f'<sheet name="S{n}" sheetId="{n}" state="{state}" r:id="r{n}"/>'
        for n, state in zip(numbers, states, strict=True)
    )
    targets = "".join(
        f'<Relationship Id="r{n}" Type="{kinds}/worksheet" Target="worksheets/s{n}.xml"/>'
        for n in numbers
    )
    codes = "".join(
        f"<numFmt numFmtId='{200 + n}' formatCode={quoteattr(code)}/>"
        for n, code in enumerate(formats)
    )
    styles = "".join(f'<xf numFmtId="{200 + n}"/>' for n in range(len(formats)))
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{SPACE}/package/2006/content-types"/>',
        "_rels/.rels": relation.format(
            f'<Relationship Id="r" Type="{kinds}/officeDocument" Target="xl/workbook.xml"/>'
        ),
        "xl/workbook.xml": f'<workbook {main} xmlns:r="{kinds}"><workbookPr date1904="{int(from_1904)}"/><sheets>{named}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": relation.format(
            f'{targets}<Relationship Id="s" Type="{kinds}/styles" Target="styles.xml"/>'
        ),
        "xl/styles.xml": f"<styleSheet {main}><numFmts>{codes}</numFmts><cellXfs>{styles}</cellXfs></styleSheet>",
        **{
            f"xl/worksheets/s{n}.xml": f"<worksheet {main}>{sheet}</worksheet>"
            for n, sheet in zip(numbers, sheets, strict=True)
        },
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()

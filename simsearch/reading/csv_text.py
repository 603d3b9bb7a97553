"""Tables as CSV that a spreadsheet shows without computing."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

# Spreadsheets compute cells that begin so (OWASP, "CSV injection"). Some accept wide letters too.
FORMULA = r"^[=+\-@\t\r\n＝＋－＠]"


def csv_bytes(table: pa.Table) -> bytes:
    """The table with a header, in UTF-8.

    Lists are joined by semicolons. A text that a spreadsheet would take for a formula gets an apostrophe
    in front. Numbers stay as they are.
    """
    columns = {name: _escape_formulas(table[name]) for name in table.column_names}
    buffer = io.BytesIO()
    pa_csv.write_csv(pa.table(columns), buffer)
    return buffer.getvalue()


def _escape_formulas(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column as numbers, or as texts that are no formulas."""
    if pa.types.is_list(column.type) or pa.types.is_fixed_size_list(column.type):
        column = pc.binary_join(column.cast(pa.list_(pa.string())), "; ")
    if not pa.types.is_string(column.type):
        return column
    marked = pc.binary_join_element_wise("'", column, "")
    return pc.if_else(pc.match_substring_regex(column, FORMULA), marked, column)

"""Columns of any Arrow type as values that turn into text well: dictionaries, times, decimals, text
without its byte order mark."""

from __future__ import annotations

import uuid

import pyarrow as pa
import pyarrow.compute as pc

from simsearch.catalog.notes import Notes

_NO_FRACTION = r"\.0+($|Z|[+-])"
_MIDNIGHT = r" 00:00:00$"
_INVALID = (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeDecodeError)


def make_readable(table: pa.Table, source: str, notes: Notes) -> pa.Table:
    """The table with each column in a type whose values read as their author wrote them.

    Bytes that are no text become null, which is noted.
    """
    for position, field in enumerate(table.schema):
        column = table.column(position)
        try:
            column = _read(column, field.type)
        except _INVALID:
            column = _read_row_by_row(column, field, source, notes)
        table = table.set_column(position, field.name, column)
    return table


def is_bytes(kind: pa.DataType) -> bool:
    """Whether a type holds bytes of any length that are not declared as text."""
    binary = pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
    return bool(binary or pa.types.is_binary_view(kind))


def _read(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if isinstance(kind, pa.UuidType):
        values = column.cast(kind.storage_type).to_pylist()
        return pa.chunked_array(
            [[None if value is None else str(uuid.UUID(bytes=value)) for value in values]],
            pa.string(),
        )
    wanted = _text_type(kind)
    if wanted != kind:
        column = column.cast(wanted)
    column.validate(full=True)
    if pa.types.is_timestamp(kind) or pa.types.is_time(kind):
        column = pc.replace_substring_regex(column, _NO_FRACTION, r"\1")
        days = pc.replace_substring_regex(column, _MIDNIGHT, "")
        if pc.all(pc.not_equal(days, column), min_count=0).as_py():
            column = days  # each is a day, not its first second
    if pa.types.is_float32(kind) or pa.types.is_float16(kind):  # 1999.1, not 1999.0999755859375
        column = column.cast(pa.float64())
    return column


def _read_row_by_row(
    column: pa.ChunkedArray, field: pa.Field, source: str, notes: Notes
) -> pa.ChunkedArray:
    """The texts of cells that hold text, null for others. Bytes of a fixed length become hexadecimal."""
    fixed = pa.types.is_fixed_size_binary(field.type)
    try:
        cells = column.cast(field.type if fixed else pa.large_binary()).to_pylist()
    except _INVALID:
        cells = [None] * len(column)
        notes.say(f"{source}: column {field.name!r} is of the type {field.type} and is not read")
    if fixed:
        return pa.chunked_array(
            [[None if cell is None else cell.hex() for cell in cells]], pa.string()
        )
    texts = [_text(cell) for cell in cells]
    lost = [row for row, cell in enumerate(cells) if cell is not None and texts[row] is None]
    if lost:
        notes.say(
            f"{source}: column {field.name!r} has {len(lost):,} cells of bytes that are no UTF-8 text, taken as empty (first: row {lost[0] + 1:,})"
        )
    return pa.chunked_array([texts], pa.string())


def _text(cell: bytes | None) -> str | None:
    try:
        return None if cell is None else cell.decode()
    except UnicodeDecodeError:
        return None


def _text_type(kind: pa.DataType) -> pa.DataType:
    """The type to which a column of this type is cast."""
    if isinstance(kind, pa.BaseExtensionType):
        return _text_type(kind.storage_type)
    if pa.types.is_dictionary(kind):
        return _text_type(kind.value_type)
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_text_type(field.type)) for field in kind])
    if pa.types.is_map(kind):
        return pa.map_(_text_type(kind.key_type), _text_type(kind.item_type))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return pa.list_(_text_type(kind.value_type))
    timed = pa.types.is_temporal(kind) and not pa.types.is_duration(kind)
    short = pa.types.is_float32(kind) or pa.types.is_float16(kind)
    fixed = pa.types.is_fixed_size_binary(kind)
    return pa.string() if is_bytes(kind) or fixed or timed or short else kind

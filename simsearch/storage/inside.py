"""Addresses of files inside a root, stored relative to the root.

A root is reached by many names: a link, a mount, a folder that was moved, a bucket under another
endpoint. A stored address that began with one of these names would lie outside the root under another.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

COLUMN = "image_uri"
# RFC 3986: an address begins with its scheme. An empty address stays empty.
ABSOLUTE = "^$|^[A-Za-z][A-Za-z0-9+.-]*:"


def make_relative(root: str, table: pa.Table) -> pa.Table:
    """The table as it is stored: each `image_uri` below `root` (a URI) becomes a path below it."""
    if COLUMN not in table.column_names or not table.num_rows:
        return table
    uris = table[COLUMN].combine_chunks()
    folder = root.removesuffix("/") + "/"
    inside = pc.starts_with(uris, folder)
    paths = pc.utf8_slice_codeunits(uris, len(folder), None)
    # A path that reads like an address ("s3:x.jpg") is stored whole, or it would be read as an address.
    inside = pc.and_(inside, pc.invert(pc.match_substring_regex(paths, ABSOLUTE)))
    return _replace_uris(table, pc.if_else(inside, paths, uris))


def resolve(root: str, table: pa.Table) -> pa.Table:
    """A stored table with whole addresses: each `image_uri` without a scheme lies below `root`."""
    if COLUMN not in table.column_names or not table.num_rows:
        return table
    uris = table[COLUMN].combine_chunks()
    below = pc.binary_join_element_wise(pa.scalar(root.removesuffix("/")), uris, "/")
    return _replace_uris(table, pc.if_else(pc.match_substring_regex(uris, ABSOLUTE), uris, below))


def _replace_uris(table: pa.Table, uris: pa.Array) -> pa.Table:
    place = table.schema.get_field_index(COLUMN)
    return table.set_column(place, table.schema.field(place), uris)

"""Addresses of what lies inside a root, stored relative to it.

A root is reached by many names: a link, a mount, a folder that was moved, a bucket under another
endpoint. A stored address that begins with one of them would be a stranger's under the next.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

COLUMN = "image_uri"
# RFC 3986: an address begins with its scheme. No address at all stays none.
ABSOLUTE = "^$|^[A-Za-z][A-Za-z0-9+.-]*:"


def relative_to(root: str, table: pa.Table) -> pa.Table:
    """The table as it is stored: each `image_uri` below `root` (a URI) becomes a path below it."""
    if COLUMN not in table.column_names or not table.num_rows:
        return table
    uris = table[COLUMN].combine_chunks()
    folder = root.removesuffix("/") + "/"
    inside = pc.starts_with(uris, folder)
    paths = pc.utf8_slice_codeunits(uris, len(folder), None)
    # A path that reads like an address ("s3:x.jpg") stays whole, or it would come back as one.
    inside = pc.and_(inside, pc.invert(pc.match_substring_regex(paths, ABSOLUTE)))
    return _with(table, pc.if_else(inside, paths, uris))


def resolved(root: str, table: pa.Table) -> pa.Table:
    """A stored table with whole addresses: each `image_uri` without a scheme lies below `root`."""
    if COLUMN not in table.column_names or not table.num_rows:
        return table
    uris = table[COLUMN].combine_chunks()
    below = pc.binary_join_element_wise(pa.scalar(root.removesuffix("/")), uris, "/")
    return _with(table, pc.if_else(pc.match_substring_regex(uris, ABSOLUTE), uris, below))


def _with(table: pa.Table, uris: pa.Array) -> pa.Table:
    place = table.schema.get_field_index(COLUMN)
    return table.set_column(place, table.schema.field(place), uris)

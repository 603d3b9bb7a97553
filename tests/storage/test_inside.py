"""Addresses below a root are stored relative to it and come back under whatever name it is opened by."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simsearch import schemas
from simsearch.storage.inside import make_relative, resolve

ROOTS = st.sampled_from(
    ["file:///a", "file:///a/b", "file:///a b", "s3://b", "s3://b/é", "file:///", "s3://b/a=1"]
)
PATHS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
    lambda path: not path.startswith("/")
)
ELSEWHERE = st.sampled_from(
    ["https://x.org/a/b.jpg", "file:///ab/c.jpg", "s3://bb/c.jpg", "s3://b", "", "ftp://x/y", None]
)


def sources(uris: list[str | None]) -> pa.Table:
    """A table with the column that holds addresses, and one more."""
    return pa.table(
        {"artwork_id": [str(number) for number in range(len(uris))], "image_uri": uris},
        schema=pa.schema([schemas.REJECTS.field("artwork_id"), schemas.REJECTS.field("image_uri")]),
    )


@pytest.mark.slow
@given(ROOTS, st.lists(PATHS), st.lists(ELSEWHERE))
def test_addresses_come_back_as_they_were(
    root: str, paths: list[str], elsewhere: list[str | None]
) -> None:
    table = sources([*(f"{root.removesuffix('/')}/{path}" for path in paths), *elsewhere])
    assert resolve(root, make_relative(root, table)).equals(table)


@pytest.mark.slow
@given(ROOTS, ROOTS, st.lists(st.from_regex(r"\A[a-z0-9/. #?%-]+\Z").filter(lambda p: p[0] != "/")))
def test_what_lies_inside_is_named_by_the_root_that_it_is_opened_by(
    root: str, other: str, paths: list[str]
) -> None:
    stored = make_relative(root, sources([f"{root.removesuffix('/')}/{path}" for path in paths]))
    assert stored["image_uri"].to_pylist() == paths
    expected = [f"{other.removesuffix('/')}/{path}" for path in paths]
    assert resolve(other, stored)["image_uri"].to_pylist() == expected

"""Readers by name: what fits which, said before anything is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from simsearch.catalog.readers.registry import READERS
from simsearch.errors import UsageError
from tests.support.catalogs import read


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["catalog.reader=louvre"], "no reader named 'louvre'; known: artic, cleveland"),
        (["catalog.reader=folder"], "catalog.source: reader 'folder' needs the URI of a folder"),
        (["catalog.source=/x"], "catalog.source: reader 'generated' has none"),
        (
            ["catalog.reader=tate", "catalog.source=/x", "catalog.columns={title: t}"],
            "catalog.columns: reader 'tate' takes none",
        ),
    ],
)
def test_settings_that_do_not_fit_the_reader_are_named(
    overrides: list[str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=message):
        read(tmp_path, *overrides)


def test_ten_museums_are_known_by_name() -> None:
    museums = "moma tate nga met cleveland artic rijksmuseum smk cmoa harvard"
    assert set(museums.split()) <= set(READERS)

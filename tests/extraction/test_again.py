"""Rejected pictures are tried again where they can be read now."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from simsearch import schemas
from simsearch.extraction.again import worth_another_try
from simsearch.settings.sections.operation import StorageConfig

CONFIG = StorageConfig(attempts=1)


def reject(reason: str, uri: str | None, stage: str = "fetch") -> pa.Table:
    row = {"artwork_id": "a", "image_uri": uri, "stage": stage, "reason": reason, "detail": ""}
    return pa.Table.from_pylist([{**row, "etag": "1-2"}], schema=schemas.REJECTS)


def test_a_picture_is_tried_again_once_it_can_be_read(tmp_path: Path) -> None:
    picture = tmp_path / "a.jpg"
    for reason in ("not found", "not permitted"):
        rejects = reject(reason, str(picture))
        assert not worth_another_try(rejects, CONFIG)
        picture.write_bytes(b"")
        assert worth_another_try(rejects, CONFIG)
        assert worth_another_try(pa.concat_tables([reject("no image", None), rejects]), CONFIG)
        picture.unlink()
        picture.mkdir()  # there, and no file
        assert not worth_another_try(rejects, CONFIG)
        picture.rmdir()


def test_a_store_that_failed_is_asked_again_whatever_it_answers_now() -> None:
    assert worth_another_try(reject("unreadable", "/nowhere/a.jpg"), CONFIG)


@pytest.mark.parametrize(
    "rejects",
    [
        reject("not found", "ftp://museum.org/a.jpg"),
        reject("not found", "https://museum.org/a.jpg"),
        reject("no image", None),
        schemas.REJECTS.empty_table(),
    ],
)
def test_what_no_store_has_is_not_looked_for(rejects: pa.Table) -> None:
    assert not worth_another_try(rejects, CONFIG)


def test_a_picture_that_could_not_be_decoded_is_not_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    assert not worth_another_try(reject("broken", str(tmp_path / "a.jpg"), "decode"), CONFIG)

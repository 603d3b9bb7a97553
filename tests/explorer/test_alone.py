"""A collection of one artwork, which no other is near to: the pages say so, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from simsearch.explorer.server.app import create_app
from tests.support.explorer_site import publish_gallery, running, settings

TOKEN = "correct horse"
SET_ID = "0123456789abcdef"


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A gallery of one artwork behind a password, with a kept set of another artwork."""
    folder: Path = tmp_path_factory.mktemp("alone")
    config = settings(str(folder / "data"))
    publish_gallery(config, folder / "gallery", count=1)
    kept = {"set_id": SET_ID, "name": "Gone", "created": "2026-01-01", "artwork_ids": ["elsewhere"]}
    (folder / "data" / "sets").mkdir()
    (folder / "data" / "sets" / f"{SET_ID}.json").write_text(json.dumps(kept))
    with (
        running(create_app(config, [config.root], TOKEN)) as address,
        httpx.Client(base_url=address, auth=("anyone", TOKEN), timeout=60) as client,
    ):
        yield client


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/", "1 artwork</p>"),
        ("/artwork?id=a/000?%26e", "There is no other artwork."),
        ("/set?ids=AA", "There is no other artwork."),
        ("/findings/hubs", "This snapshot has one artwork, so that no other is near it."),
        ("/findings/disagreement", "This snapshot has one artwork, so that no other is near it."),
        ("/findings/duplicates", "None: no two works"),
        ("/findings/other-hands", "No two works by different artists"),
    ],
)
def test_a_page_says_that_there_is_no_other_artwork(
    alone: httpx.Client, path: str, said: str
) -> None:
    page = alone.get(path)
    assert page.status_code == 200
    text = " ".join(page.text.split()).replace(" </p>", "</p>")
    assert said in text
    assert "nobody’s" not in text
    assert "no two networks" not in text


def test_a_kept_set_without_any_artwork_here_can_still_be_renamed_and_removed(
    alone: httpx.Client,
) -> None:
    page = alone.get("/set", params={"set_id": SET_ID}).text
    assert "None of its artworks are in this snapshot." in page
    assert "/sets/rename?" in page
    assert "/sets/remove?" in page
    assert "/set.csv" not in page

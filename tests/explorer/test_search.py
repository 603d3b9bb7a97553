"""Searches over HTTP: words, phrases, apostrophes and years before Christ, the same on list and map."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simsearch.explorer.atlas import export_atlas
from simsearch.explorer.server.app import create_app
from simsearch.reading.facets import periods
from simsearch.settings.config import Config
from simsearch.snapshots.snapshot import Snapshot
from tests.support.explorer_site import GIVEN, running
from tests.support.odd_gallery import COUNT, DATES, TITLES, YEARS


def titles(client: httpx.Client, **query: str) -> set[str]:
    """The artworks that a search finds; the map's search has to find the same."""
    rows = client.get("/api/v1/artworks", params=query).json()["artworks"]
    numbers = np.frombuffer(client.get("/map/found", params=query).content, "<u4").tolist()
    assert {TITLES[number] for number in numbers} == {row["title"] for row in rows}
    return {row["title"] for row in rows}


PORTRAITS = {TITLES[0], TITLES[1], TITLES[2]}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Portrait Woman", PORTRAITS),
        ("Portrait, Woman", PORTRAITS),
        ("portrait; “woman”", PORTRAITS - {TITLES[2]}),
        ('"portrait"', {*PORTRAITS, "Self-Portrait"}),
        ('"a woman"', {TITLES[0], TITLES[1]}),
        ("d'", {TITLES[3], TITLES[4]}),
        ("d’", {TITLES[3], TITLES[4]}),
        ("letude", {"L’Étude", "L'Etude"}),
        ("l'étude", {"L’Étude", "L'Etude"}),
        ("orsay", {TITLES[3], TITLES[4], TITLES[5]}),
        ("self portrait", {"Self-Portrait"}),
        ("!?", set()),
        ("a portrait unlike any", set()),
    ],
)
def test_a_search_finds_the_same_on_the_list_and_on_the_map(
    odd: httpx.Client, query: str, expected: set[str]
) -> None:
    assert titles(odd, q=query) == expected


def test_years_before_christ_are_kept_apart_from_those_after(odd: httpx.Client) -> None:
    def of(low: str, high: str) -> set[str]:
        wanted = {TITLES.index(title) for title in titles(odd, year_from=low, year_to=high)}
        return {DATES[number] for number in wanted}

    for low, high in (("-2500", "-1000"), ("-500", "-1"), ("1", "1000"), ("1300", "1500")):
        within = [year is not None and int(low) <= year <= int(high) for year in YEARS]
        assert of(low, high) == {date for date, here in zip(DATES, within, strict=True) if here}
    assert of("", "") == set(DATES)
    assert of("-99999", "") == set(DATES)


def test_years_reach_the_map_as_they_are(odd: httpx.Client) -> None:
    data = odd.get("/map/facets").content
    length = int.from_bytes(data[:4], "little")
    years = np.frombuffer(data[4 + length :], "<i4", COUNT)
    assert years.tolist() == YEARS


def test_a_year_before_christ_is_a_date_for_embedding_atlas(
    odd_config: Config, tmp_path: Path
) -> None:
    export_atlas(odd_config, [odd_config.root], str(tmp_path / "atlas"))
    table = pq.read_table(tmp_path / "atlas" / f"{GIVEN}.parquet")
    days = table["year"].cast(pa.int32()).to_pylist()
    epoch = datetime.date(1970, 1, 1)
    assert days[4] == (datetime.date(1888, 1, 1) - epoch).days
    whole = np.datetime64("-0299-01-01") - np.datetime64("1970-01-01")  # 300 B.C.
    assert days[1] == whole.astype(int)
    assert table["date"].to_pylist() == list(DATES)


def test_periods_have_names_before_christ_too_and_one_wild_year_changes_no_other() -> None:
    assert periods([-500, -401, -400, -1, 1, 99, 100, 1888]).labels == (
        "500–401 B.C.", "400–301 B.C.", "100–1 B.C.", "1–99", "100–199", "1800–1899",
    )  # fmt: skip
    decades = [1850 + number for number in range(20)]
    assert periods([*decades, -2500]).labels == ("2500–2491 B.C.", "1850s", "1860s")


def test_years_come_in_either_order_as_on_the_map(odd: httpx.Client) -> None:
    for low, high in (("-2500", "-300"), ("650", "1888"), ("-300", "1844")):
        expected = titles(odd, year_from=low, year_to=high)
        assert expected
        assert titles(odd, year_from=high, year_to=low) == expected


@pytest.mark.slow
def test_another_data_set_is_asked_for_the_same(odd_config: Config, snapshot: Snapshot) -> None:
    roots = [odd_config.root, snapshot.storage.root]
    asked = {"q": "étude", "year_from": "-300"}
    with running(create_app(odd_config, roots)) as address:
        page = httpx.get(address, params=asked, timeout=60).text
    form = page.split('class="dataset"')[1].split("</form>")[0]
    assert dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)) == asked

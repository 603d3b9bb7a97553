"""A gallery whose catalog has what catalogs have: odd dates, quotes and apostrophes, endless words."""

from __future__ import annotations

from simsearch.reading.dates import first_year
from tests.support.explorer_site import Rows

ENDLESS = "W" * 10_000
TITLES = (
    "Portrait of a Woman", "A Woman, after a portrait", "Woman’s Portrait", "Girl from d’Orsay",
    "Girl from d'Orsay", "Girl from Orsay", "L’Étude", "L'Etude", ENDLESS, "Self-Portrait",
)  # fmt: skip
DATES = (
    "ca. 1353–1336 B.C.", "300 B.C.–A.D. 100", "5th century B.C.", "18th century", "1888",
    "ca. 1479–1458 B.C.", "-2500", "A.H. 1260/A.D. 1844", "12th–13th century", "650",
)  # fmt: skip
COUNT = len(TITLES)
YEARS = [first_year(date) for date in DATES]


def make_odd(rows: Rows) -> None:
    """Give COUNT catalog rows these titles and dates, and endless words in every other field."""
    for row, title, date in zip(rows, TITLES, DATES, strict=True):
        row |= {"title": title, "date": date, "artists": ["Ada Löwe"], "medium": "oil"}
    endless = ("medium", "dimensions", "credit", "classification", "department", "rights")
    rows[8] |= dict.fromkeys(endless, ENDLESS) | {"artists": [ENDLESS, f"{ENDLESS}x"]}
    rows[8]["subjects"] = [ENDLESS]

"""Names that pages propose for sets, and their forms after an artwork was taken down."""

from __future__ import annotations

from collections.abc import Callable

from simsearch.reading.sets import clean_name

TAKEN_DOWN = "an artwork that was taken down"
LIKE_SHOWN, DETAIL_SHOWN, END_SHOWN = 50, 55, 35  # letters of a title, so that MOST_NAME holds all


def name_like(title: str, space: str) -> str:
    """The name of a set of an artwork's neighbours in a space."""
    return f"Like {title[:LIKE_SHOWN]}, {space}"


def name_detail(title: str) -> str:
    """The name of a set of artworks that look like a detail of another."""
    return f"Like a detail of {title[:DETAIL_SHOWN]}"


def name_way(first: str, last: str) -> str:
    """The name of a set of the artworks on a way between two others."""
    return f"From {first[:END_SHOWN]} to {last[:END_SHOWN]}"


PROPOSALS: dict[str, Callable[..., str]] = {
    "name_like": name_like,
    "name_detail": name_detail,
    "name_way": name_way,
}
"""The functions that templates call."""


def remove_title(name: str, title: str) -> str:
    """A stored set's name without the title, if a page proposed the name for that title. Other names stay as
    they are."""
    like = clean_name(f"Like {title[:LIKE_SHOWN]},")
    if name.startswith(like):
        name = f"Like {TAKEN_DOWN},{name.removeprefix(like)}"
    if name == clean_name(name_detail(title)):
        name = f"Like a detail of {TAKEN_DOWN}"
    end = clean_name(title[:END_SHOWN])
    if name.startswith(f"From {end} to "):
        name = f"From {TAKEN_DOWN} to {name.removeprefix(f'From {end} to ')}"
    if name.startswith("From ") and name.endswith(f" to {end}"):
        name = f"{name.removesuffix(f' to {end}')} to {TAKEN_DOWN}"
    return clean_name(name)

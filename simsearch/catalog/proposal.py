"""Guess the catalog columns of an unknown table from the column names that museums use."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from simsearch.catalog.image_names import is_web
from simsearch.catalog.layout import LISTS, museum_layout, museum_names
from simsearch.catalog.records import Records

# In the order of trust; the museums' own names, as their layouts have them, come first.
_KNOWN = {
    "artwork_id": "id objectid artworkid objectnumber inventorynumber accessionnumber accession identifier number no numer nr inv invno invnr inventory inventarnr inventarnummer cislo inventarnicislo",
    "image_uri": "image imageurl imageuri picture file filename imagefile imagename path url thumbnail thumbnailurl photo img bild bilddatei bildname abbildung plik obrazek obraz fichier soubor",
    "title": "title name objecttitle titel titre titulo titolo nazev tytul objectname",
    "artists": "artist artists creator creators maker author painter artistname kunstler kuenstler auteur artiste autor",
    "date": "date dated year creationdate displaydate objectdate datetext datierung datum annee rok",
    "medium": "medium materials material technique technik materialtechnik technika",
    "dimensions": "dimensions dimension size measurements dimensionscm masse rozmery wymiary",
    "department": "department collection museum abteilung",
    "classification": "classification type objecttype category genre objektart gattung",
    "credit": "credit creditline",
    "rights": "rights license licence copyright rightsstatement",
    "attribution": "attribution",
    "url": "url link weburl objecturl permalink",
}
_IMAGE = re.compile(r"\.(jpe?g|png|tiff?|webp|gif|jp2|avif|bmp)$", re.IGNORECASE)
SAMPLE = 200


def propose(records: Records) -> dict[str, str]:
    """A path for each catalog column of which the table has a usual name. No path is proposed twice."""
    rows = list(records.rows(records.columns)[:SAMPLE])
    paths = dict.fromkeys(path for row in rows for path in _paths(row))
    by_name: dict[str, str] = {}
    for path in paths:
        by_name.setdefault(_plain(path), path)
    # Files go before addresses: a file need not be fetched.
    pictures = sorted(
        (path for path in paths if _pictures(path, rows)), key=lambda path: _on_the_web(path, rows)
    )
    proposal: dict[str, str] = {}
    if pictures:
        proposal["image_uri"] = pictures[0]
    for column, names in _names().items():
        free = {name: path for name, path in by_name.items() if path not in proposal.values()}
        chosen = next((free[name] for name in names if name in free), None)
        if chosen is not None and column not in proposal:
            proposal[column] = chosen.replace("[0]", "[]") if column in LISTS else chosen
    return proposal


def write_mapping(proposal: Mapping[str, str]) -> str:
    """The mapping as one line of YAML, ready to paste."""
    return "{" + ", ".join(f"{ours}: {_quote(path)}" for ours, path in proposal.items()) + "}"


def _names() -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for column, known in _KNOWN.items():
        museums = [
            _plain(path)
            for museum in museum_names()
            for path in museum_layout(museum).columns.get(column, ())
            if "{" not in path
        ]
        names[column] = list(dict.fromkeys([*known.split(), *museums]))
    return names


def _plain(path: str) -> str:
    """`creator[].full_name` → `creatorfullname`, `Künstler` → `kunstler`"""
    letters = unicodedata.normalize("NFKD", path).casefold().replace("ł", "l")
    return re.sub(r"[^a-z]", "", letters)


def _paths(row: Mapping[str, Any], prefix: str = "", depth: int = 0) -> list[str]:
    paths = []
    for name, value in row.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict) and depth < 3:
            paths += _paths(value, f"{path}.", depth + 1)
        elif isinstance(value, list) and value and isinstance(value[0], dict) and depth < 3:
            paths += _paths(value[0], f"{path}[0].", depth + 1)
        elif isinstance(value, list) and value:
            paths.append(f"{path}[]")
        elif not isinstance(value, list):
            paths.append(path)
    return paths


def _pictures(path: str, rows: list[Mapping[str, Any]]) -> bool:
    """Whether a column of texts names image files."""
    if "[" in path or "." in path:
        return False
    values = [str(row[path]) for row in rows if row.get(path)]
    return bool(values) and sum(bool(_IMAGE.search(value)) for value in values) > len(values) / 2


def _on_the_web(path: str, rows: list[Mapping[str, Any]]) -> bool:
    return any(is_web(str(row[path])) for row in rows if row.get(path))


def _quote(path: str) -> str:
    return path if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_ ]*", path) else f'"{path}"'

"""Which artworks look alike, in which feature space, and how far can the answer be trusted?

Import `simsearch` and open what a run has published:

>>> import simsearch
>>> collection = simsearch.open("demo")                                # doctest: +SKIP
>>> collection.spaces[0].neighbours(collection.artworks[0], n=5)       # doctest: +SKIP

Each name is imported when it is first used, so that `import simsearch` takes no time. `__init__.pyi` has
the same names for type checkers and editors.
"""

from importlib import import_module
from typing import Any

from simsearch import errors
from simsearch.settings.version import __version__

__all__ = [
    "Artwork",
    "Artworks",
    "Collection",
    "Match",
    "Matches",
    "Result",
    "SamePicture",
    "Space",
    "__version__",
    "errors",
    "open",
    "run",
]

_PLACES = {
    "Artwork": ("simsearch.reading.values", "Artwork"),
    "Artworks": ("simsearch.reading.values", "Artworks"),
    "Collection": ("simsearch.reading.collection", "Collection"),
    "Match": ("simsearch.reading.values", "Match"),
    "Matches": ("simsearch.reading.values", "Matches"),
    "Result": ("simsearch.runs.job", "Result"),
    "SamePicture": ("simsearch.reading.values", "SamePicture"),
    "Space": ("simsearch.reading.space", "Space"),
    "open": ("simsearch.reading.collection", "open_collection"),
    "run": ("simsearch.runs.from_python", "run"),
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _PLACES[name]
    value = globals()[name] = getattr(import_module(module), attribute)
    return value


def __dir__() -> list[str]:
    return __all__

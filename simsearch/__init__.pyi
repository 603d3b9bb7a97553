from simsearch import errors as errors
from simsearch.reading.collection import Collection as Collection
from simsearch.reading.collection import open_collection as open
from simsearch.reading.space import Space as Space
from simsearch.reading.values import Artwork as Artwork
from simsearch.reading.values import Artworks as Artworks
from simsearch.reading.values import Match as Match
from simsearch.reading.values import Matches as Matches
from simsearch.reading.values import SamePicture as SamePicture
from simsearch.runs.from_python import run as run
from simsearch.runs.job import Result as Result

__version__: str
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

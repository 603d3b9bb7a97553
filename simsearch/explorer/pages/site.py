"""The parts that pages share: the library, pictures, networks and templates."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

import jinja2
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from simsearch.explorer.pages.addresses import Addresses
from simsearch.explorer.pages.page import Page
from simsearch.reading.artworks import LONG, shorten
from simsearch.reading.chance_words import rounded_up
from simsearch.reading.feature_maps import FeatureMaps
from simsearch.reading.image_servers import ImageServers
from simsearch.reading.library import Library
from simsearch.reading.map_data import MapData
from simsearch.reading.memo import Memo
from simsearch.reading.originals import Originals
from simsearch.reading.picture_pairs import PairGeometry
from simsearch.reading.picture_query import PictureQuery
from simsearch.reading.pictures import Pictures
from simsearch.reading.recovery import Recovery, metric_word
from simsearch.reading.search import Search, SearchIndex
from simsearch.reading.set_names import PROPOSALS
from simsearch.reading.sets import encode
from simsearch.reading.stored_points import PointReader
from simsearch.reading.view import SnapshotView
from simsearch.reading.zoom import TileMaker
from simsearch.schemas import PICTURE_SIZE
from simsearch.settings.shown_places import show_place, show_text
from simsearch.settings.version import __version__
from simsearch.snapshots.layout import SEARCHES

PAGE_SIZE = 48
PAGES = (
    ("", "Artworks"),
    ("picture", "Your picture"),
    ("map", "Map"),
    ("sets", "Sets"),
    ("findings", "Findings"),
    ("recovery", "Trust"),
    ("runs", "Runs"),
)  # name and label of each page in the head of every page
DERIVED_KEPT = 32  # values; the largest, neighbour lists of 160,000 artworks, takes 13 MB

_T = TypeVar("_T")


class Site:
    """Everything behind the pages. There is one per process."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.pictures = Pictures()
        self.originals = Originals()
        self.tiles = TileMaker(self.originals)
        self.image_servers = ImageServers(library.config.catalog.download)
        points = PointReader()
        self.picture_query = PictureQuery(points)
        self.feature_maps = FeatureMaps(self.picture_query, self.originals)
        self.pair_geometry = PairGeometry(points)
        self._derived = Memo(DERIVED_KEPT)
        self._templates = environment_of_pages()

    def render(
        self, page: Page, view: SnapshotView, to: Addresses, notices: Sequence[str] = ()
    ) -> str:
        """Render a page; whatever stands in its values is escaped. `notices` are shown above them."""
        return self._templates.get_template(f"{page.template}.html.j2").render(
            view=view,
            to=to,
            warnings=view.warnings,
            version=__version__,
            page_name=page.template,
            notices=notices,
            **page.values(),
        )

    def render_plain(self, page: Page) -> str:
        """Render a page that needs no snapshot."""
        return self._templates.get_template(f"{page.template}.html.j2").render(page.values())

    def search(self, view: SnapshotView, search: Search) -> npt.NDArray[np.int64]:
        """The numbers of the artworks that a search finds; all of them, in a seeded order, where nothing is
        asked for.

        They are shuffled because a wall of pictures in the order of accession numbers shows one room of one
        museum.
        """
        if search == Search():
            return self.derived(view, "shuffled", lambda: _shuffle(view))
        return self.derived(view, "search", lambda: SearchIndex(view)).find(search)

    def recovery(self, view: SnapshotView) -> Recovery:
        return self.derived(view, "recovery", lambda: Recovery(view))

    def of_years(self, view: SnapshotView, years: Search) -> pa.Array | None:
        """The ids of the artworks whose dates begin in these years. None if no years are given."""
        if not years.has_years:
            return None
        numbers = pa.array(self.search(view, years))
        return view.catalog["artwork_id"].combine_chunks().take(numbers)

    def map_data(self, view: SnapshotView) -> MapData:
        return self.derived(view, "map", lambda: MapData(view))

    def derived(self, view: SnapshotView, name: Hashable, make: Callable[[], _T]) -> _T:
        """The value that `make` makes of a view, kept under `name`."""
        return self._derived.once((view.snapshot_id, view.edition, name), make)

    def prepare(self, view: SnapshotView) -> None:
        """Make the values for which the first visitors would wait: with 160,000 artworks 0.9 s for a search,
        and 2.6 s for an artwork's page, which reads all neighbour lists."""
        self.search(view, Search())
        self.search(view, Search(q="a"))
        for space in view.spaces:
            for search in SEARCHES:
                view.stored(space, search)


def environment_of_pages() -> jinja2.Environment:
    """Jinja with the pages' templates; a value that a page does not hold is an error."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("simsearch.explorer"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "metric_word": metric_word,
        "as_set": encode,
        "short": shorten,
        "rounded_up": rounded_up,
        "place": show_place,
        "places": show_text,
    }
    known = {"long": LONG, "pages": PAGES, "picture_size": PICTURE_SIZE}
    environment.globals |= {**known, **PROPOSALS}
    return environment


def _shuffle(view: SnapshotView) -> npt.NDArray[np.int64]:
    return np.random.default_rng(view.plan.seed).permutation(len(view))

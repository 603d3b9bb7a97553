"""The parts that pages share: the library, pictures, networks and templates."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import jinja2
import numpy as np
import pyarrow as pa

from simsearch.explorer.pages.addresses import Addresses
from simsearch.reading.artworks import LONG, shorten
from simsearch.reading.feature_maps import FeatureMaps
from simsearch.reading.image_servers import ImageServers
from simsearch.reading.library import Library
from simsearch.reading.map_data import MapData
from simsearch.reading.memo import Memo
from simsearch.reading.originals import Originals
from simsearch.reading.picture_query import PictureQuery
from simsearch.reading.pictures import Pictures
from simsearch.reading.recovery import Recovery, metric_word
from simsearch.reading.search import Search, SearchIndex
from simsearch.reading.set_names import PROPOSALS
from simsearch.reading.sets import encode
from simsearch.reading.view import SnapshotView
from simsearch.reading.zoom import TileMaker
from simsearch.settings.config import Config
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


class Site:
    """Everything behind the pages. There is one per process."""

    def __init__(self, config: Config, library: Library) -> None:
        self.config, self.library = config, library
        self.pictures = Pictures(config)
        self.originals = Originals(config)
        self.tiles = TileMaker(self.originals)
        self.image_servers = ImageServers(config.catalog.download)
        self.picture_query = PictureQuery(config)
        self.feature_maps = FeatureMaps(self.picture_query, self.originals)
        self._derived = Memo(DERIVED_KEPT)
        self._templates = jinja2.Environment(
            loader=jinja2.PackageLoader("simsearch.explorer"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["metric_word"] = metric_word
        self._templates.filters["as_set"] = encode
        self._templates.filters["short"] = shorten
        self._templates.filters["place"] = show_place
        self._templates.filters["places"] = show_text
        self._templates.globals["long"] = LONG
        self._templates.globals["pages"] = PAGES
        self._templates.globals.update(PROPOSALS)

    def render(self, name: str, view: SnapshotView, to: Addresses, **values: Any) -> str:
        """Render a page. All `values` are escaped."""
        return self._templates.get_template(f"{name}.html.j2").render(
            view=view,
            to=to,
            warnings=view.warnings,
            version=__version__,
            page_name=name,
            **{"notices": (), **values},
        )

    def render_plain(self, name: str, values: Mapping[str, Any]) -> str:
        """Render a page that needs no snapshot."""
        return self._templates.get_template(f"{name}.html.j2").render(values)

    def search(self, view: SnapshotView, search: Search) -> Any:
        """The numbers of the artworks that a search finds. An empty search finds all, in a seeded order.

        They are shuffled because a wall of pictures in the order of accession numbers shows one room of one
        museum.
        """
        if search == Search():
            return self.derived(view, "shuffled", lambda: _shuffle(view))
        index: SearchIndex = self.derived(view, "search", lambda: SearchIndex(view))
        return index.find(search)

    def recovery(self, view: SnapshotView) -> Recovery:
        recovery: Recovery = self.derived(view, "recovery", lambda: Recovery(view))
        return recovery

    def of_years(self, view: SnapshotView, years: Search) -> pa.Array | None:
        """The ids of the artworks whose dates begin in these years. None if no years are given."""
        if not years.has_years:
            return None
        numbers = pa.array(self.search(view, years))
        return view.catalog["artwork_id"].combine_chunks().take(numbers)

    def map_data(self, view: SnapshotView) -> MapData:
        data: MapData = self.derived(view, "map", lambda: MapData(view))
        return data

    def derived(self, view: SnapshotView, name: Hashable, make: Callable[[], Any]) -> Any:
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


def _shuffle(view: SnapshotView) -> Any:
    return np.random.default_rng(view.plan.seed).permutation(len(view))

"""A page: its template, and the values that the template shows."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

from simsearch.explorer.pages.paging import Paging


@dataclass(frozen=True)
class Page:
    """What a page shows. Its template knows each field by the field's name."""

    template: ClassVar[str]
    """The template's path below `templates`, without `.html.j2`."""

    def values(self) -> dict[str, object]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True)
class PagedPage(Page):
    """A page that shows a part of a long list."""

    paging: Paging

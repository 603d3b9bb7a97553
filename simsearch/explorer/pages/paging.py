"""Long lists cut into pages."""

from __future__ import annotations


def page_of(total: int, page: int, size: int) -> tuple[int, int, slice]:
    """The number of the page, brought into range, the number of pages, and the slice of the page's
    entries."""
    pages = max(1, -(-total // size))
    page = min(max(1, page), pages)
    return page, pages, slice((page - 1) * size, page * size)

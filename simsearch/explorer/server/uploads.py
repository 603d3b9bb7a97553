"""Pictures that visitors send: a few at once, the others are asked to come back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Request

from simsearch.reading.picture_query import BusyError

MOST_UPLOADS = 4  # pictures that arrive or are decoded: of 60 megapixels each 0.5 GB while decoded


@asynccontextmanager
async def upload_place(request: Request) -> AsyncIterator[None]:
    """One of the places for pictures, until the picture is read. Raises BusyError where all are taken."""
    state = request.app.state
    taken = getattr(state, "uploads", 0)
    if taken >= MOST_UPLOADS:
        raise BusyError("others ask with pictures just now; try again in some seconds")
    state.uploads = taken + 1
    try:
        yield
    finally:
        state.uploads -= 1

"""Uploaded pictures: a few at once. Further visitors are asked to try again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Request

from simsearch.reading.picture_query import DecodersBusyError

MOST_UPLOADS = 4  # pictures that arrive or are decoded; one of 60 megapixels takes 0.5 GB


@asynccontextmanager
async def upload_place(request: Request) -> AsyncIterator[None]:
    """Occupy one of the places for pictures within the block. Raises DecodersBusyError if all are taken."""
    state = request.app.state
    taken = getattr(state, "uploads", 0)
    if taken >= MOST_UPLOADS:
        raise DecodersBusyError("others ask with pictures just now; try again in some seconds")
    state.uploads = taken + 1
    try:
        yield
    finally:
        state.uploads -= 1

"""Addresses and pictures for tests of the explorer over HTTP."""

import io

from PIL import Image

FINDINGS = (
    "/findings",
    "/findings/duplicates",
    "/findings/other-hands",
    "/findings/disagreement",
    "/findings/hubs",
    "/findings/placeholders",
    "/findings/learned",
    "/findings/changes",
)
PAGES = (
    "/",
    "/artwork?id=a/000?%26e",
    "/picture",
    "/map",
    "/recovery",
    "/runs",
    "/api",
    *FINDINGS,
)
FIRST = "a/000?&e"


def picture_bytes(width: int = 60, height: int = 40) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(buffer, "PNG")
    return buffer.getvalue()

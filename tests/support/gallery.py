"""Addresses and pictures for tests of the explorer over HTTP."""

import io

from PIL import Image

FINDINGS = (
    "/findings",
    "/findings/duplicates",
    "/findings/details",
    "/findings/other-hands",
    "/findings/disagreement",
    "/findings/hubs",
    "/findings/placeholders",
    "/findings/learned",
    "/findings/changes",
)
CLOSER = (
    "/zoom?id=a/000?%26e",
    "/alike?id=a/000?%26e&other=a/013?%26é&space=squeezenet1_1",
    "/alike?id=a/000?%26e&other=a/013?%26é&space=squeezenet1_1&drawn=1",
    "/compare?id=a/004?%26e&other=a/005?%26é",
    "/detail?id=a/000?%26e",
    "/walk?id=a/000?%26e",
    "/walk?id=a/000?%26e&to=a/013?%26é&space=squeezenet1_1",
)
PAGES = (
    "/",
    "/artwork?id=a/000?%26e",
    "/picture",
    "/map",
    "/set?ids=AAIC&name=Three",
    "/sets",
    "/recovery",
    "/runs",
    "/api",
    *FINDINGS,
    *CLOSER,
)
FIRST = "a/000?&e"


def picture_bytes(width: int = 60, height: int = 40) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(buffer, "PNG")
    return buffer.getvalue()

"""The name under which a picture's vectors and thumbnails are stored: the hash of its file."""

from __future__ import annotations

import hashlib


def content_hash(data: bytes) -> str:
    """The SHA-256 of a file's bytes, in hex."""
    return hashlib.sha256(data).hexdigest()

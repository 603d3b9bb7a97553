"""Check whether weights on the web can be reached, before anything waits for their download."""

from __future__ import annotations

import urllib.error
import urllib.request

from simsearch.encoders.weight_files import NotHereError

PROBE_SECONDS = 5  # detects a missing connection before a long download is tried


def probe(url: str) -> None:
    """Raise NotHereError if an https address does not answer."""
    request = urllib.request.Request(url, method="HEAD")  # noqa: S310  (publishers' own addresses)
    try:
        with urllib.request.urlopen(request, timeout=PROBE_SECONDS):  # noqa: S310
            return
    except (OSError, urllib.error.URLError) as error:
        raise NotHereError(f"not cached and cannot be downloaded: {error}") from None

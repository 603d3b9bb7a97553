"""A seeded sample of a catalog's pictures, fetched and decoded as a run would."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial

import pyarrow as pa
from PIL import Image

from simsearch.catalog.embedded import read_embedded
from simsearch.catalog.image_names import is_web
from simsearch.catalog.places import is_embedded
from simsearch.catalog.sampling import seeded_sample
from simsearch.catalog.web.client import WebClient
from simsearch.catalog.web.errors import FAILURES, reason_of
from simsearch.errors import StorageError
from simsearch.images.bounded import decode_within
from simsearch.images.limits import ImageError
from simsearch.runtime.background import run_within
from simsearch.settings.config import Config
from simsearch.settings.secrets import without_secrets
from simsearch.storage.storage import read_uri

PICTURES = 24
WEB_PICTURES = 3
KEPT = 4  # pictures kept for measuring encoders


@dataclass
class Sampled:
    """The sample. `rejects` are the number and one example per reason. `sizes` are in pixels.
    `seconds_each` is the time from the request for the bytes to the decoded picture."""

    tried: int = 0
    sizes: list[tuple[int, int]] = field(default_factory=list)
    rejects: dict[str, tuple[int, str]] = field(default_factory=dict)
    pictures: list[Image.Image] = field(default_factory=list)
    seconds_each: float = 0.0

    def reject(self, reason: str, example: str) -> None:
        count, first = self.rejects.get(reason, (0, example))
        self.rejects[reason] = (count + 1, first)


def sample_pictures(config: Config, table: pa.Table, seconds: float) -> Sampled:
    """Fetch and decode a sample of at most PICTURES pictures. However slow a server is, it takes hardly
    longer than `seconds`.

    A few pictures on the web are requested, and only if a run would fetch them. Files that the catalog
    knows to be absent are not tried.
    """
    rows = {
        row["artwork_id"]: row["image_uri"]
        for row in table.select(["artwork_id", "image_uri", "etag"]).to_pylist()
        if row["etag"] is not None or (is_web(row["image_uri"]) and config.catalog.download.enabled)
    }
    sampled = Sampled()
    deadline = time.monotonic() + seconds
    spent = 0.0
    requests = 0
    with WebClient(config.catalog.download) as client:
        for artwork in seeded_sample(rows, PICTURES, config.seed):
            uri = rows[artwork]
            if time.monotonic() > deadline or (is_web(uri) and requests >= WEB_PICTURES):
                continue
            requests += is_web(uri)
            started = time.monotonic()
            sampled.tried += 1
            try:
                data = run_within(deadline - started, partial(_fetch, uri, config, client))
                picture = decode_within(data, config.images.limits)
            except TimeoutError:
                sampled.reject(f"not there in {seconds:.0f} s", without_secrets(uri))
                continue
            except ImageError as error:
                sampled.reject(error.reason, f"{without_secrets(uri)}: {error.detail}")
                continue
            except (StorageError, *FAILURES) as error:
                sampled.reject("cannot be fetched", f"{without_secrets(uri)}: {reason_of(error)}")
                continue
            if sampled.sizes:  # the first picture starts the decoder
                spent += time.monotonic() - started
            sampled.sizes.append(picture.size)
            if len(sampled.pictures) < KEPT:
                sampled.pictures.append(picture)
    sampled.seconds_each = spent / max(1, len(sampled.sizes) - 1)
    return sampled


def _fetch(uri: str, config: Config, client: WebClient) -> bytes:
    if is_embedded(uri):
        return read_embedded(uri, config.storage)
    if not is_web(uri):
        return read_uri(uri, config.storage, config.images.max_bytes)
    return client.get(uri, config.catalog.download.max_bytes).data or b""

"""The sample of pictures that a check fetches: no server makes it wait for long."""

from __future__ import annotations

import time

import pyarrow as pa
import pytest

from simsearch import schemas
from simsearch.runs.checks.sample import sample_pictures
from simsearch.settings.config import load_config
from tests.support.moody import Request, moody


@pytest.mark.slow
def test_a_server_that_drips_ends_with_the_time_for_pictures() -> None:
    def drip(request: Request) -> None:
        request.head(Content_Length="1000")
        request.drip(b"x" * 1000, 0.05)

    words = ["enabled=true", "private_networks=true", "robots=false"]
    config = load_config(None, [f"catalog.download.{word}" for word in words])
    with moody(drip) as served:
        rows = [
            {"artwork_id": name, "image_uri": f"{served.base}/{name}", "artists": []}
            for name in "abc"
        ]
        began = time.monotonic()
        sampled = sample_pictures(config, pa.Table.from_pylist(rows, schema=schemas.CATALOG), 1.0)
    assert time.monotonic() - began < 10  # without a bound, 150 s
    (reason,) = sampled.rejects
    assert (reason, sampled.tried) == ("not there in 1 s", 1)

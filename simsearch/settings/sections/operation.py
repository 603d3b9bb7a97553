"""Settings that decide how and where a run works, never its results."""

from __future__ import annotations

import os
from typing import Annotated

from pydantic import Field

from simsearch.settings.sections.section import Positive, Section, Share


class StorageConfig(Section):
    """How object stores are reached. Credentials come from the standard AWS places, never from here."""

    endpoint_url: str | None = Field(
        None, description="S3 endpoint; null: AWS's own, or $AWS_ENDPOINT_URL"
    )
    region: str | None = Field(None, description="S3 region; null: from the environment")
    attempts: Positive = Field(5, description="tries per request before it counts as failed")
    timeout: Positive = Field(
        60, description="seconds without an answer after which a request is tried again"
    )


class LeaseConfig(Section):
    """The lease by which only one run at a time writes to a root."""

    seconds: Annotated[int, Field(ge=3)] = Field(
        60, description="seconds after which a lease that is not renewed is free for another run"
    )
    wait: Annotated[int, Field(ge=0)] = Field(
        0, description="seconds to wait for another run to end; 0: give up at once"
    )


class PublishConfig(Section):
    """How much worse than the published snapshot a new one may be. A worse one is not published."""

    max_catalog_shrink: Share = Field(
        0.1,
        description="largest share of artworks that may vanish at once under equal catalog settings",
    )
    max_recovery_drop: Share = Field(
        0.05, description="largest fall of mean recall at any k, in the same feature space"
    )
    force: bool = Field(False, description="publish a snapshot however much worse it is")


class MonitoringConfig(Section):
    """Where the end of a run is reported, beside the log and the run record in the root."""

    prometheus_textfile: str | None = Field(
        None, description="file for node_exporter's textfile collector, such as /…/simsearch.prom"
    )
    pushgateway: str | None = Field(None, description="host:port of a Prometheus Pushgateway")
    on_failure: tuple[str, ...] = Field(
        (), description="a command and its arguments; gets the run record as JSON on standard input"
    )
    log_json: bool | None = Field(
        None,
        description="write the run record into the log as one JSON line; null: not on a terminal",
    )


class ExploreConfig(Section):
    """The explorer's web server. Its password comes from $SIMSEARCH_EXPLORE_TOKEN, never from here."""

    host: str = Field("127.0.0.1", description="address to listen on; 0.0.0.0: every network")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(8400, description="port; 0: any free one")
    hosts: tuple[str, ...] = Field(
        (), description="further host names of the explorer, such as explorer.museum.org"
    )
    max_upload_bytes: Positive = Field(
        32 * 2**20, description="larger pictures are refused while they arrive"
    )
    max_upload_pixels: Positive = Field(
        60_000_000, description="larger pictures are refused before decoding"
    )


class RayConfig(Section):
    """Where the work runs."""

    address: str | None = Field(
        None,
        description="cluster address; local: Ray inside this process; null: $RAY_ADDRESS, else local",
    )
    cpus: Positive | None = Field(
        None, description="CPUs to use when Ray runs inside this process; null: all"
    )
    train_workers: Annotated[int, Field(ge=0)] = Field(
        0, description="processes that together learn one encoder from pixels; 0: this one alone"
    )
    log_seconds: Positive = Field(
        10, description="seconds between progress lines where there is no terminal"
    )
    stall_warn: Annotated[float, Field(gt=0)] = Field(
        60, description="seconds without progress after which the log says what the run waits for"
    )
    stall_fail: Annotated[float, Field(gt=0)] | None = Field(
        1800, description="seconds without progress after which the run ends; null: never"
    )

    @property
    def cluster(self) -> str | None:
        """The cluster that `address` or $RAY_ADDRESS names. None means that Ray is started on this
        machine for one command."""
        named = self.address or os.environ.get("RAY_ADDRESS")
        return None if named in ("", "local") else named

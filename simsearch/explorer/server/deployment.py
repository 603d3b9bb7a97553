"""The explorer on Ray Serve: the same application, as a replica on a cluster."""

from __future__ import annotations

import logging
import threading
from typing import Any

from fastapi import FastAPI
from ray import serve
from ray.serve import Application

from simsearch.explorer.server.app import create_app, token_from_environment
from simsearch.runtime.ray_session import ray_session
from simsearch.settings.config import Config

log = logging.getLogger(__name__)

NAME = "explorer"
REPLICA_CPUS = 0.5  # pages wait for storage more than they compute
REQUESTS_AT_ONCE = 64


def deployment(config: Config, roots: list[str], token: str | None) -> Application:
    """The application for `serve.run`. Its replica reads snapshots from storage, and gets none passed."""

    def build() -> FastAPI:
        return create_app(config, roots, token)

    deploy: Any = serve.deployment  # its stub only has the decorator's form
    deployed = deploy(
        serve.ingress(build)(),
        name=NAME,
        num_replicas=1,
        max_ongoing_requests=REQUESTS_AT_ONCE,
        ray_actor_options={"num_cpus": REPLICA_CPUS},
    )
    application: Application = deployed.bind()
    return application


def start(config: Config, roots: list[str]) -> None:
    """Start the explorer on the connected Ray, and wait until it answers."""
    options = {"host": config.explore.host, "port": config.explore.port}
    serve.start(http_options=options)
    serve.run(deployment(config, roots, token_from_environment()), name=NAME, route_prefix="/")


def serve_on_ray(config: Config, roots: list[str]) -> None:
    """Start the explorer, wait until interrupted, and stop the explorer."""
    with ray_session(config.ray):
        try:
            start(config, roots)
            log.info("explore: on Ray Serve at %s:%d", config.explore.host, config.explore.port)
            threading.Event().wait()
        finally:
            serve.delete(NAME)

"""Check the address of a cluster before anything waits for the cluster."""

from __future__ import annotations

import re
import socket

from simsearch.errors import SimsearchError, UsageError
from simsearch.settings.sections.operation import RayConfig

PROBE_SECONDS = 10.0  # after which a network that drops packets is noticed
HOST_AND_PORT = re.compile(r"\[?([^\[\]/]+?)\]?:(\d{1,5})")
ADVICE = "start it with `ray start --head`, or remove ray.address and $RAY_ADDRESS to run here"


def check_cluster_address(config: RayConfig) -> None:
    """Check that something listens at the cluster's address, if the settings name a cluster.

    Raises UsageError for an address of another kind, SimsearchError if nobody answers.
    """
    address = config.cluster
    if address is None or address == "auto":
        return
    scheme, separator, _ = address.partition("://")
    if separator:
        kind = {"ray": "Ray Client's", "http": "the dashboard's", "https": "the dashboard's"}
        raise UsageError(
            f"ray.address: {address} is {kind.get(scheme, 'no')} address, and a run needs the cluster's own, "
            "such as head:6379; or submit the run as a job: python jobs/submit.py"
        )
    match = HOST_AND_PORT.fullmatch(address)
    if match is None or not 0 < int(match[2]) < 2**16:
        raise UsageError(f"ray.address: {address!r} is no host:port; give one such as head:6379")
    try:
        socket.create_connection((match[1], int(match[2])), PROBE_SECONDS).close()
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SimsearchError(
            f"ray.address: nobody answers at {address} ({reason}); {ADVICE}"
        ) from None

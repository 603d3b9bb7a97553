"""A web client for tests: of this machine's servers, without waiting between requests."""

from __future__ import annotations

from typing import Any

from simsearch.catalog.web.client import WebClient
from simsearch.catalog.web.errors import FAILURES, reason_of
from simsearch.catalog.web.turns import call_in_parallel
from simsearch.settings.sections.collection import DownloadConfig


def client(**settings: Any) -> WebClient:
    given = {"private_networks": True, "per_second": 1000.0, "robots": False, "attempts": 1}
    return WebClient(DownloadConfig(**{**given, "timeout": 5, **settings}))


def failures(web: WebClient, addresses: list[str]) -> list[str]:
    """Why each address could not be fetched, in the order that they were given up."""

    def ask(row: dict[str, Any]) -> str:
        try:
            web.get(row["image_uri"], 1000)
        except FAILURES as error:
            return reason_of(error)
        return ""

    return list(call_in_parallel(ask, [{"image_uri": address} for address in addresses], 8))

"""Why a request failed."""

from __future__ import annotations

import httpx

from simsearch.settings.secrets import hide_secrets


class RefusedError(Exception):
    """A request that failed and need not be repeated in this run or, if `lasting`, in a later one.
    `status` is that of the answer, None without an answer."""

    def __init__(self, reason: str, *, lasting: bool = False, status: int | None = None) -> None:
        super().__init__(reason)
        self.lasting, self.status = lasting, status


class BusyError(Exception):
    """A request that failed because the server is busy, and may be repeated."""


# All that a request may raise.
FAILURES = (RefusedError, BusyError, httpx.HTTPError)


def reason_of(error: Exception) -> str:
    """Why a request failed, in one line without secrets."""
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time (catalog.download.timeout)"
    return hide_secrets(" ".join(str(error).split())) or type(error).__name__

"""Why an image that the catalog names by web address is not stored."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from simsearch.catalog.image_names import is_web
from simsearch.catalog.stored_downloads import download_problems
from simsearch.settings.sections.collection import DownloadConfig
from simsearch.storage.storage import Storage

_STATUS = re.compile(r"HTTP (\d{3})\b")
_LATER = "run the same command again later"
_ADVICE = {
    401: "the server asks for a login; have the picture opened, or leave the artwork out",
    403: "the server does not give it to everybody; have the picture opened, or leave the artwork out",
    404: "the server does not have it; correct the address in the collection",
    410: "the server does not have it any more; correct the address in the collection",
    429: _LATER,
}


@dataclass(frozen=True)
class Undownloaded:
    """`problems` has, by web address, the reason why the last request for an image failed. `enabled` says
    whether images are downloaded at all."""

    enabled: bool = False
    problems: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(
        cls, storage: Storage, config: DownloadConfig, uris: Iterable[str | None]
    ) -> Undownloaded:
        """The root's notes on those of `uris` that lie on the web."""
        web = {uri for uri in uris if uri is not None and is_web(uri)}
        if not web or not config.enabled:
            return cls(config.enabled)
        noted = download_problems(storage)
        return cls(True, {uri: noted[uri] for uri in web & noted.keys()})

    def reason(self, uri: str) -> tuple[str, str]:
        """A reject's reason and detail."""
        if not self.enabled:
            return "not downloaded", "run `simsearch ingest` with catalog.download.enabled=true"
        problem = self.problems.get(uri)
        if problem is None:
            return "not downloaded", "it was not asked for yet; run `simsearch ingest`"
        status = _STATUS.match(problem)
        if status is not None:
            number = int(status.group(1))
            advice = _ADVICE.get(number, _LATER if number >= 500 else "look at the address")
            return status.group(0), f"{problem}; {advice}"
        if problem.startswith(("no answer in time", "it gave no answer")):
            return "no answer in time", f"{problem}; {_LATER}"
        return "not downloaded", problem

"""The page of a failure: one line that says what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simsearch.explorer.pages.page import Page


@dataclass(frozen=True)
class ErrorPage(Page):
    """`phrase` is HTTP's for the failure; `prefix` is where the explorer is mounted."""

    template: ClassVar[str] = "error"

    phrase: str
    message: str
    prefix: str

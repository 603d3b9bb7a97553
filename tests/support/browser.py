"""A browser's page that remembers everything that went wrong on it."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

PHONE = {"width": 390, "height": 844}


class Watched:
    """A page in a context of its own; `faults` holds errors, failed requests and foreign ones."""

    def __init__(self, browser: Browser, address: str, **context: object) -> None:
        self.page: Page = browser.new_context(base_url=address, **context).new_page()  # type: ignore[arg-type]
        self.faults: list[str] = []
        self._address = address
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("requestfailed", self._failed)
        self.page.on("console", self._said)
        self.page.on("request", self._asked)

    def _failed(self, request: Request) -> None:
        # Leaving a page ends what it was still fetching.
        if "ABORTED" not in (request.failure or ""):
            self.faults.append(request.url)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.faults.append(message.text)

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self._address, "data:", "blob:")):
            self.faults.append(f"left the site: {request.url}")

    def goto(self, view: str) -> Page:
        self.page.goto(view)
        if view.startswith("/map"):
            self.page.wait_for_selector("canvas[data-ready]")
        self.page.wait_for_load_state("networkidle")
        return self.page

    def close(self) -> None:
        self.page.context.close()


def serious_faults(page: Page) -> list[tuple[str, list[str]]]:
    """What axe finds that is serious or critical: the rule and up to three places."""
    return [
        (violation["id"], [node["html"][:120] for node in violation["nodes"]][:3])
        for violation in Axe().run(page).response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]

"""A browser's page that remembers everything that went wrong on it."""

from __future__ import annotations

import contextlib
from re import Pattern

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request, Route

PHONE = {"width": 390, "height": 844}


class Watched:
    """A page in a context of its own. `faults` has errors, failed requests, and requests to other servers.
    `thrown` has only the errors of scripts."""

    def __init__(self, browser: Browser, address: str, **context: object) -> None:
        self.page: Page = browser.new_context(base_url=address, **context).new_page()  # type: ignore[arg-type]
        self.faults: list[str] = []
        self.thrown: list[str] = []  # by scripts
        self._address = address
        self.page.on("pageerror", self._threw)
        self.page.on("requestfailed", self._failed)
        self.page.on("console", self._said)
        self.page.on("request", self._asked)

    def _threw(self, error: Error) -> None:
        self.faults.append(str(error))
        self.thrown.append(str(error))

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


class Held:
    """Requests that are held back until they are let go, so that their answers come late."""

    def __init__(self, page: Page, address: str | Pattern[str]) -> None:
        self._routes: list[Route] = []
        page.route(address, self._hold)
        self._page, self._address = page, address

    def _hold(self, route: Route) -> None:
        self._routes.append(route)

    def __len__(self) -> int:
        return len(self._routes)

    def let_go(self) -> None:
        """Answer all held requests, and later requests at once."""
        self._page.unroute(self._address)
        for route in self._routes:
            with contextlib.suppress(Error):  # the page may have given it up
                route.continue_()
        self._page.wait_for_load_state("networkidle")
        self._page.wait_for_timeout(300)


COLOUR_RULES = {
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
    "resultTypes": ["violations"],
}


def serious_faults(page: Page) -> list[tuple[str, list[str]]]:
    """The serious and critical faults that axe finds in light and in dark: each rule with up to three places.

    The two differ in colours alone, so that in dark the rules about colours are asked.
    """
    page.emulate_media(color_scheme="light")
    violations = Axe().run(page).response["violations"]
    page.emulate_media(color_scheme="dark")
    violations += Axe().run(page, options=COLOUR_RULES).response["violations"]
    return [
        (violation["id"], [node["html"][:120] for node in violation["nodes"]][:3])
        for violation in violations
        if violation["impact"] in ("serious", "critical")
    ]


def without_storage(page: Page) -> None:
    """Let the browser keep nothing, as where cookies are blocked."""
    page.add_init_script(
        """for (const name of ["localStorage", "indexedDB"])
          Object.defineProperty(window, name, { get() { throw new DOMException("denied", "SecurityError"); } });"""
    )

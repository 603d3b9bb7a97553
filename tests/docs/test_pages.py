"""The documentation leads somewhere and says what is there: links, settings, commands, tests by name."""

from __future__ import annotations

import ast
import re
import shutil
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from docs.generate import COPIES, DOCS, write_pages
from simsearch.settings.config import Config
from tests.support.markdown import (
    NAMES,
    PAGES,
    PROJECT,
    anchors,
    inline_code,
    links,
    without_blocks,
)

MADE_BY_MKDOCSTRINGS = "reference/api.md"  # its anchors are the names in the code


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of the site, those that are made from the code too."""
    pages = tmp_path_factory.mktemp("site") / "pages"
    shutil.copytree(DOCS / "pages", pages)
    write_pages(pages)
    return pages


def broken(page: Path, site: Path) -> Iterator[str]:
    """The links of a page that lead nowhere."""
    for link in links(page):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if target.is_relative_to(DOCS / "pages"):
            target = site / target.relative_to(DOCS / "pages")
        known = (
            not anchor
            or str(target).endswith(MADE_BY_MKDOCSTRINGS)
            or (target.is_file() and anchor in anchors(target))
        )
        if not target.exists() or not known:
            yield link


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_link_leads_somewhere(page: Path, site: Path) -> None:
    assert list(broken(page, site)) == []


def test_every_link_of_a_page_that_is_made_leads_somewhere(site: Path) -> None:
    made = [*(site / "reference").glob("*.md"), *(site / "project").glob("*.md")]
    assert len(made) == len(COPIES) + 4
    assert {page.name: leads for page in made if (leads := list(broken(page, site)))} == {}


def test_the_navigation_has_every_page_once(site: Path) -> None:
    def pages_of(entry: Any) -> Iterator[str]:
        for value in entry.values() if isinstance(entry, dict) else entry:
            yield from [value] if isinstance(value, str) else pages_of(value)

    config = tomllib.loads((DOCS / "zensical.toml").read_text(encoding="utf-8"))
    listed = sorted(pages_of(config["project"]["nav"]))
    assert listed == sorted(str(page.relative_to(site)) for page in site.rglob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_setting_that_a_page_names_is_there(page: Path) -> None:
    sections = "|".join(Config.model_fields)
    named = [
        match[1]
        for code in inline_code(page)
        if (match := re.match(rf"((?:{sections})(?:\.[a-z_0-9]+)+)(?:$|[:=] ?)", code))
    ]
    assert [name for name in named if not is_setting(name)] == []


def is_setting(name: str) -> bool:
    model: Any = Config
    for part in name.split("."):
        fields = getattr(model, "model_fields", None)
        if fields is None:  # names that the user chooses, such as columns
            return True
        if part not in fields:
            return False
        model = fields[part].annotation
    return True


def test_a_setting_that_is_not_there_is_no_setting() -> None:
    assert is_setting("extract.batch_size")
    assert is_setting("catalog.download.enabled")
    assert not is_setting("extract.batchsize")
    assert not is_setting("catalog.download.on")


def test_every_test_that_the_threat_model_names_is_there() -> None:
    page = DOCS / "pages/operations/threats.md"
    rows = re.findall(r"^\|(.+)\| (.*) \|$", without_blocks(page), re.MULTILINE)
    cells = [cell for _, cell in rows if cell != "held by" and "---" not in cell]
    names = [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]
    assert len(names) > 20
    assert [cell for cell in cells if not re.search(r"`tests/[^`]+::test_\w+`", cell)] == []
    assert [name for name in names if not is_test(name)] == []


def is_test(name: str) -> bool:
    path, _, function = name.partition("::")
    return (PROJECT / path).is_file() and function in functions_of(PROJECT / path)


@cache
def functions_of(path: Path) -> set[str]:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_everything_at_the_top_of_a_root_is_named_on_the_page_of_storage() -> None:
    """Modules name the folders and files of a root by these constants."""
    constants = r'^(?:FOLDER|STATE|SNAPSHOTS|LATEST|NEWEST|ROOT_MARKER|PATH) = \(?\s*"([^"/]+)'
    written = re.compile(constants, re.MULTILINE)
    rooms = ("catalog", "encoders", "extraction", "images", "reading", "runs", "snapshots")
    names = {
        name
        for room in (*rooms, "storage", "training")
        for path in (PROJECT / "simsearch" / room).rglob("*.py")
        for name in written.findall(path.read_text(encoding="utf-8"))
    }
    assert {"iiif", "images", "trained", "CATALOG", "LEASE", "simsearch.json"} <= names
    page = (PROJECT / "docs/pages/storage.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `([^`/]+)", page, re.MULTILINE))
    assert names - listed == set()

"""The site is built without a warning and asks no other site for anything."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from docs.generate import DOCS, write_pages
from simsearch.settings.config import Config

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        find_spec("zensical") is None, reason="zensical is not installed: make .venv/upkeep"
    ),
]


def build(project: Path) -> subprocess.CompletedProcess[str]:
    """Build the site of a copy of the project's documentation, into `project/docs/site`."""
    shutil.copytree(
        DOCS,
        project / "docs",
        ignore=shutil.ignore_patterns("reference", "project", "site", ".cache"),
    )
    (project / "simsearch").symlink_to(DOCS.parent / "simsearch")
    write_pages(project / "docs/pages")
    return subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict"],
        cwd=project / "docs",
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = tmp_path_factory.mktemp("project")
    built = build(project)
    assert built.returncode == 0, built.stdout + built.stderr
    return project / "docs/site"


def test_the_site_is_built_without_a_warning_and_needs_no_other(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 25
    loaded = re.compile(r"""<(?:script|img|iframe)[^>]*\bsrc=["']?(https?:[^"'\s>]*)""")
    styles = re.compile(r"""<link[^>]*\brel="stylesheet"[^>]*\bhref=["']?(https?:[^"'\s>]*)""")
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert loaded.findall(text) + styles.findall(text) == [], page.name


def test_every_setting_and_its_description_can_be_read(site: Path) -> None:
    page = words_of(site / "reference/settings.html")
    for section in sections(Config):
        for name, field in section.model_fields.items():
            assert name in page
            if section is not Config or name in ("root", "seed"):
                description = (field.description or "").replace("`", "")
                assert " ".join(description.split()) in page, name


def words_of(page: Path) -> str:
    """The text of a page as a reader sees it."""
    text = re.sub(r"<[^>]*>", "", page.read_text(encoding="utf-8"))
    return " ".join(html.unescape(text).split())


def sections(annotation: Any) -> Iterator[type[BaseModel]]:
    """A section and those within it, whatever holds them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from sections(field.annotation)
    for part in get_args(annotation):
        yield from sections(part)

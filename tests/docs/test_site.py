"""The site is built without a warning and asks no other site for anything."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from docs.generate import DOCS, write_pages

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


def test_the_site_is_built_without_a_warning_and_needs_no_other(tmp_path: Path) -> None:
    built = build(tmp_path)
    assert built.returncode == 0, built.stdout + built.stderr
    pages = list((tmp_path / "docs/site").rglob("*.html"))
    assert len(pages) > 25
    loaded = re.compile(r"""<(?:script|img|iframe)[^>]*\bsrc=["']?(https?:[^"'\s>]*)""")
    styles = re.compile(r"""<link[^>]*\brel="stylesheet"[^>]*\bhref=["']?(https?:[^"'\s>]*)""")
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert loaded.findall(text) + styles.findall(text) == [], page.name

"""Links, anchors and code of Markdown pages, as the site's builder sees them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).parents[2]
WRITTEN = ("docs/pages/reference", "docs/pages/project")  # by docs.generate
PAGES = [
    *PROJECT.glob("*.md"),
    *(PROJECT / name / "README.md" for name in ("simsearch", "cluster", "tests/benchmarks")),
    *(
        page
        for page in (PROJECT / "docs/pages").rglob("*.md")
        if not str(page.relative_to(PROJECT)).startswith(WRITTEN)
    ),
]
NAMES = [str(page.relative_to(PROJECT)) for page in PAGES]
"""The pages that people write; NAMES are their paths in the project."""

FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#{1,6} (.+?)(?: *\{ *#([\w-]+) *\})?$", re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


class Block(NamedTuple):
    """A fenced block of code: its `language`, `text` without indentation, and its first `line`."""

    language: str
    text: str
    line: int


def code_blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for match in FENCE.finditer(text):
        indent, language, code = match.groups()
        lines = [line.removeprefix(indent) for line in code.splitlines(keepends=True)]
        yield Block(language, "".join(lines), text.count("\n", 0, match.start()) + 2)


def without_blocks(page: Path) -> str:
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def inline_code(page: Path) -> list[str]:
    return INLINE.findall(without_blocks(page))


def links(page: Path) -> list[str]:
    """The targets of a page's links and pictures."""
    return LINK.findall(INLINE.sub("", without_blocks(page)))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, by the rules of Python-Markdown's table of contents."""
    names: set[str] = set()
    for title, own in HEADING.findall(without_blocks(page)):
        name = own or _slug(re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title))
        names.add(name if name not in names else f"{name}_1")
    return names


def _slug(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain).strip().lower())

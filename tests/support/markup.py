"""Pages as one line, however their templates are laid out."""

from __future__ import annotations

import re


def one_line(page: str) -> str:
    """The page with each run of spaces and line ends as one space, and no space beside a tag."""
    return re.sub(r" ?(</?[a-z][^>]*>) ?", r"\1", re.sub(r"\s+", " ", page)).replace(" />", ">")

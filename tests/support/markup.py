"""Pages as one line, however their templates are laid out."""

from __future__ import annotations

import re


def one_line(page: str) -> str:
    """The page with one space where there are several or a line's end, and none beside a tag."""
    return re.sub(r" ?(</?[a-z][^>]*>) ?", r"\1", re.sub(r"\s+", " ", page)).replace(" />", ">")

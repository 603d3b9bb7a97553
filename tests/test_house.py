"""The house stays one that a reader finds the way in: no long files, no long functions."""

from __future__ import annotations

import ast
from pathlib import Path

PROJECT = Path(__file__).parents[1]
FILE_LINES, FUNCTION_LINES = 300, 60
SOURCES = [
    path for folder in ("simsearch", "jobs", "tests") for path in (PROJECT / folder).rglob("*.py")
]


def test_no_file_is_longer_than_300_lines() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in SOURCES}
    assert len(lengths) > 100
    assert {str(path): n for path, n in lengths.items() if n > FILE_LINES} == {}


def test_no_function_is_longer_than_60_lines() -> None:
    long = {
        f"{path}:{node.name}": length
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES
    }
    assert long == {}

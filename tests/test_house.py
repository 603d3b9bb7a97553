"""The house stays one that a reader finds the way in: no long files, no long functions, no name that says
nothing."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).parents[1]
FILE_LINES, FUNCTION_LINES = 300, 60
NAMELESS = {"each", "one", "found", "it", "thing", "every", "what"}  # anything could be called so
SOURCES = [
    path for folder in ("simsearch", "jobs", "tests") for path in (PROJECT / folder).rglob("*.py")
]


@cache
def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text())))


def named(node: ast.AST) -> str | None:
    """The name that a node gives to a variable or a parameter."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return node.id
    return node.arg if isinstance(node, ast.arg) else None


def test_no_file_is_longer_than_300_lines() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in SOURCES}
    assert len(lengths) > 100
    assert {str(path): n for path, n in lengths.items() if n > FILE_LINES} == {}


def test_no_function_is_longer_than_60_lines() -> None:
    long = {
        f"{path}:{node.name}": length
        for path in SOURCES
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES
    }
    assert long == {}


def test_variables_are_named_for_what_they_hold() -> None:
    nameless = [
        f"{path}:{node.lineno} {name}"  # type: ignore[attr-defined]
        for path in SOURCES
        for node in nodes(path)
        if (name := named(node)) in NAMELESS
    ]
    assert nameless == []

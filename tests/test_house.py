"""The house stays one that a reader finds the way in: no long files, no long functions, no name that says
nothing."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).parents[1]
FILE_LINES, FUNCTION_LINES, LINE_LETTERS = 300, 60, 120
ARROWS = 149  # pairs of rooms of which one imports the other
NAMELESS = {"each", "one", "found", "it", "thing", "every", "what"}  # anything could be called so
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
SOURCES = [
    path
    for folder in ("simsearch", "jobs", "tests", "docs")
    for path in (PROJECT / folder).rglob("*.py")
]


@dataclass(frozen=True)
class Facts:
    """What the tests ask about a file, read once: the nodes of all files are hundreds of megabytes."""

    long_functions: list[str]
    nameless: list[str]
    hidden: list[str]
    rooms: set[str]


@cache
def facts(path: Path) -> Facts:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    defined = defined_in(nodes[0])
    return Facts(
        [
            f"{path}:{node.name}"
            for node in functions
            if (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LINES
        ],
        [
            f"{path}:{node.lineno} {name}"  # type: ignore[attr-defined]
            for node in nodes
            if (name := named(node)) in NAMELESS
        ],
        [
            f"{path}:{node.lineno} {name}"
            for node in functions
            for name in names_used_before_their_own(node, defined)
        ],
        set(imported_rooms(nodes)),
    )


def named(node: ast.AST) -> str | None:
    """The name that a node gives to a variable or a parameter."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return node.id
    return node.arg if isinstance(node, ast.arg) else None


def within(node: ast.AST, *apart: type[ast.AST]) -> Iterator[ast.AST]:
    """All nodes below one, but for what is inside nodes of the types `apart`."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, apart):
            yield from within(child, *apart)


def test_no_file_is_longer_than_300_lines() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in SOURCES}
    assert len(lengths) > 100
    assert {str(path): n for path, n in lengths.items() if n > FILE_LINES} == {}


def test_no_function_is_longer_than_60_lines() -> None:
    assert [name for path in SOURCES for name in facts(path).long_functions] == []


def test_no_line_of_a_page_is_longer_than_120_letters() -> None:
    """Prettier breaks lines, but no texts and no expressions of a template."""
    pages = [
        path for kind in ("j2", "js", "css") for path in (PROJECT / "simsearch").rglob(f"*.{kind}")
    ]
    assert len(pages) > 60
    assert [
        f"{path}:{number}"
        for path in pages
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if len(line) > LINE_LETTERS
    ] == []


def test_variables_are_named_for_what_they_hold() -> None:
    assert [name for path in SOURCES for name in facts(path).nameless] == []


def test_no_function_uses_what_it_calls_something_else_later() -> None:
    """Where a function has a variable that is called like a function of its module, it cannot call that
    function any more; inside a comprehension no linter sees it."""
    assert [name for path in SOURCES for name in facts(path).hidden] == []


def defined_in(module: ast.AST) -> set[str]:
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return {node.name for node in ast.iter_child_nodes(module) if isinstance(node, kinds)}


def names_used_before_their_own(function: ast.AST, names: set[str]) -> set[str]:
    own: dict[str, int] = {}
    apart = (*COMPREHENSIONS, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    for node in within(function, *apart):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            own[node.id] = min(node.lineno, own.get(node.id, node.lineno))
    return {
        node.id
        for node in within(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        if node.id in names and node.lineno < own.get(node.id, 0)
    }


def test_the_readme_lists_the_rooms_in_the_order_of_the_layers() -> None:
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    contracts = settings["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    rooms = [name.removeprefix("simsearch.") for name in layers if name.startswith("simsearch.")]
    block = (PROJECT / "simsearch" / "README.md").read_text().split("```")[1]
    listed = re.findall(r"^(\w+)(?:/|\.py)  ", block, re.MULTILINE)
    assert listed == [room for room in rooms if room != "__main__"]
    there = {path.stem for path in (PROJECT / "simsearch").iterdir() if path.suffix in ("", ".py")}
    assert set(rooms) == {name for name in there if name in rooms or not name.startswith("__")}


def test_few_rooms_know_each_other() -> None:
    """A room of simsearch is a folder or a module beside the folders. All imports count: those inside a
    function, and those for types alone."""
    arrows = {
        (room, other)
        for path in SOURCES
        if path.is_relative_to(PROJECT / "simsearch")
        if not (
            room := path.relative_to(PROJECT / "simsearch").with_suffix("").parts[0]
        ).startswith("__")
        for other in facts(path).rooms
        if other != room
    }
    assert ("cli", "runs") in arrows
    assert len(arrows) <= ARROWS


def imported_rooms(nodes: list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module == "simsearch":
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("simsearch."):
            yield str(node.module).split(".")[1]
        elif isinstance(node, ast.Import):
            yield from (
                name.name.split(".")[1] for name in node.names if name.name.startswith("simsearch.")
            )

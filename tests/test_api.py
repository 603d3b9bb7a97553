"""The front door: the public names, for people and for type checkers, and their docstrings."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import simsearch

NAMES = {
    *("Artwork", "Artworks", "Collection", "Match", "Matches", "Result", "SamePicture", "Space"),
    *("__version__", "errors", "open", "run"),
}
STUB = Path(simsearch.__file__).with_suffix(".pyi")


def test_the_public_names_are_these_and_are_all_there() -> None:
    assert set(simsearch.__all__) == NAMES == set(dir(simsearch))
    for name in NAMES:
        assert getattr(simsearch, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'opened'"):
        simsearch.opened  # type: ignore[attr-defined]  # noqa: B018


def test_the_stub_for_type_checkers_names_the_same_things() -> None:
    tree = ast.parse(STUB.read_text())
    imported = {
        alias.asname: (node.module, alias.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert imported.pop("errors") == ("simsearch", "errors")
    assert imported == simsearch._PLACES  # type: ignore[attr-defined]
    assert ast.literal_eval(tree.body[-1].value) == simsearch.__all__  # type: ignore[attr-defined]


def public_functions() -> Iterator[tuple[str, Any]]:
    for name in sorted(NAMES - {"errors", "__version__"}):
        documented = getattr(simsearch, name)
        if inspect.isfunction(documented):
            yield name, documented
            continue
        for attribute, member in vars(documented).items():
            function = getattr(member, "__func__", member)
            if inspect.isfunction(function) and not attribute.startswith("_"):
                yield f"{name}.{attribute}", function


@pytest.mark.parametrize(("name", "function"), list(public_functions()))
def test_every_public_function_documents_its_parameters(name: str, function: Any) -> None:
    text = inspect.getdoc(function) or ""
    parameters = [
        parameter
        for parameter in inspect.signature(function).parameters
        if parameter not in ("self", "cls")
    ]
    assert text, name
    missing = [parameter for parameter in parameters if f"\n{parameter} : " not in text]
    assert (missing, name) == ([], name)

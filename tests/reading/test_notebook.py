"""The notebook of the documentation, run from its first cell to its last."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from matplotlib import pyplot

NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebook.ipynb"


def run_cells(sources: list[str]) -> list[str]:
    """What the cells show. As Jupyter does: a cell's last expression is shown, unless a semicolon ends it."""
    names: dict[str, Any] = {}
    shown = []
    for source in sources:
        tree = ast.parse(source)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, "cell", "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
            text = getattr(value, "_repr_html_", value.__repr__)()
            shown.append("" if source.endswith(";") else text)
    return shown


@pytest.mark.slow
def test_the_notebook_runs_and_shows_pictures_and_scores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ray_local: None
) -> None:
    cells = [
        cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == "code"
    ]
    assert all(cell["outputs"] == [] for cell in cells)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    # For a process that has not begun to use Ray.
    monkeypatch.setattr("simsearch.runs.from_python.prepare_environment", lambda: None)
    shown = run_cells(["".join(cell["source"]) for cell in cells])
    pyplot.close("all")
    result, collection, artworks, matches, table, vectors, figure, scores = shown
    assert "published" in result
    assert "24 artworks" in collection
    assert (artworks.count("data:image/webp"), matches.count("data:image/webp")) == (12, 6)
    assert "generated-0000" in table
    assert vectors.startswith("((24, 1280), ")
    assert figure == ""
    assert scores.count("efficientnet_lite0") >= 1

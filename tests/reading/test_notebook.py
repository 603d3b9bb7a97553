"""The notebook of the documentation, run from its first cell to its last."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebook.ipynb"

# As Jupyter does: a cell's last expression is shown, unless a semicolon ends it.
RUN = """
import ast, json, sys
names = {}
for source in json.load(sys.stdin):
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    if last is not None:
        value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
        shown = getattr(value, "_repr_html_", value.__repr__)()
        print(json.dumps("" if source.endswith(";") else shown))
"""


@pytest.mark.ray
@pytest.mark.slow
def test_the_notebook_runs_and_shows_pictures_and_scores(tmp_path: Path) -> None:
    cells = [
        cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == "code"
    ]
    assert all(cell["outputs"] == [] for cell in cells)
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        input=json.dumps(["".join(cell["source"]) for cell in cells]),
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "MPLBACKEND": "Agg"},
    )
    assert done.returncode == 0, done.stderr
    shown = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('"')]
    result, collection, artworks, matches, table, vectors, figure, scores = shown
    assert "published" in result
    assert "24 artworks" in collection
    assert (artworks.count("data:image/webp"), matches.count("data:image/webp")) == (12, 6)
    assert "generated-0000" in table
    assert vectors.startswith("((24, 1280), ")
    assert figure == ""
    assert scores.count("efficientnet_lite0") >= 1

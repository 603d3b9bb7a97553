"""Where measurements go: results.json, one entry per part, and the table in README.md beside it, made of it."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.benchmarks.measuring import Result

RESULTS = Path(__file__).parent / "results.json"
README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- benchmarks -->", "<!-- /benchmarks -->"


def load(file: Path | None = None) -> dict[str, Any]:
    file = file or RESULTS
    if not file.exists():
        return {}
    results: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return results


def store(part: str, result: Result, machine: Mapping[str, Any], file: Path | None = None) -> None:
    """Replace one part's entry; the others keep theirs, with their own date and settings."""
    file = file or RESULTS
    entry = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine,
        "settings": result.settings,
        "rows": [row.to_json() for row in result.rows],
        "notes": list(result.notes),
        "details": result.details,
        "table": [list(row) for row in result.table],
    }
    text = json.dumps({**load(file), part: entry}, indent=1, ensure_ascii=False)
    file.write_text(text + "\n", encoding="utf-8")


TURNS_WITH_RANGE = 3  # fewer values of a ratio have no range worth reading
HEADER = """\
| part | measured | ours | baseline | ratio: median (min to max) | target |
|---|---|---|---|---|---|"""


def write_readme() -> None:
    """Put the table of results.json between the README's markers."""
    text = README.read_text(encoding="utf-8")
    README.write_text(between_markers(text, table(load())), encoding="utf-8")


def between_markers(text: str, content: str) -> str:
    """`text` with what stands between its markers replaced. Raises ValueError without markers."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{README.name}: {BEGIN} has to begin the table, {END} to end it")
    return f"{before}{BEGIN}\n{content}{END}{after}"


def table(results: Mapping[str, Any]) -> str:
    """Markdown: a row per comparison, each part's notes and the machines it was measured on, and the
    tables that parts have of their own."""
    if not results:
        return "Not measured yet.\n"
    rows = [_row(part, row) for part, entry in results.items() for row in entry["rows"]]
    lines = [HEADER, *rows, ""] if rows else []
    for part, entry in results.items():
        settings = ", ".join(f"{name} {value}" for name, value in entry["settings"].items())
        sentences = " ".join([f"{settings}.", *entry["notes"]])
        lines.append(f"- `{part}`, {entry['date']}, {_where(entry['machine'])}: {sentences}")
    for part, entry in results.items():
        lines += _own_table(part, entry.get("table", []))
    return "\n".join(lines) + "\n"


def _row(part: str, row: Mapping[str, Any]) -> str:
    ours, baseline = (statistics.median(row[name]) for name in ("ours", "baseline"))
    low, middle, high = (three_digits(row["ratio"][name]) for name in ("min", "median", "max"))
    turns = len(row["ours"])
    span = f"{low} to {high}, " if turns >= TURNS_WITH_RANGE else ""
    cells = [
        f"`{part}`",
        row["name"],
        f"{three_digits(ours)} {row['unit']}",
        f"{row['against']}: {three_digits(baseline)}",
        f"{middle} ({span}n = {turns})",
        row["target"],
    ]
    return f"| {' | '.join(cells)} |"


def _own_table(part: str, rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    header, *body = [f"| {' | '.join(row)} |" for row in rows]
    return ["", f"`{part}` in full:", "", header, "|---" * len(rows[0]) + "|", *body]


def _where(machine: Mapping[str, Any]) -> str:
    gpu = f"{machine['gpu']}, " if "gpu" in machine else ""
    return (
        f"{gpu}{machine['cpu']}, {machine['cores']} cores, load {machine['load_before']} before, "
        f"commit {machine['commit']}"
    )


def three_digits(value: float) -> str:
    """Three significant digits, thousands apart: `0.931`, `24.6`, `12,300`."""
    if value == 0 or abs(value) >= 100:
        digits = len(str(int(abs(value))))
        return f"{round(value, min(0, 3 - digits)):,.0f}"
    return f"{value:#.3g}".rstrip(".")

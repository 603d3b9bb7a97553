"""`python -m tests.gpu.summary FILE`: what `tests/gpu/run` measured, in a few lines."""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path
from typing import Any


def lines(entry: dict[str, Any]) -> list[str]:
    """Of the `forward-gpu` entry of a file of results."""
    machine = entry["machine"]
    lines = [f"{machine['gpu']}, {machine['cores']} × {machine['cpu']}"]
    for row in entry["rows"]:
        ours, bare = (statistics.median(row[side]) for side in ("ours", "baseline"))
        target = f" (target {row['target']})" if row["target"] else ""
        lines.append(
            f"{row['name']}: {ours:,.0f} {row['unit']}, {row['against']} {bare:,.0f}: "
            f"ratio {row['ratio']['median']:.3f}{target}"
        )
    return [*lines, *entry["notes"]]


def main() -> int:
    file = Path(sys.argv[1])
    if not file.exists():
        print(f"{file}: nothing was measured", file=sys.stderr)
        return 1
    entry = json.loads(file.read_text(encoding="utf-8"))["forward-gpu"]
    print("\n".join(lines(entry)))
    return 0


if __name__ == "__main__":
    sys.exit(main())

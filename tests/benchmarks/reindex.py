"""`python -m tests.benchmarks.reindex`: the part `unchanged` by itself, printed in full, not stored."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from tests.benchmarks.measuring import Asked
from tests.benchmarks.unchanged import measure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artworks", type=int, default=20_000)
    given = parser.parse_args()
    asked = Asked(
        images=0, artworks=given.artworks, repeats=1, paintings=None, networks=(), cuda=False
    )
    with tempfile.TemporaryDirectory(prefix="simsearch-reindex-") as scratch:
        result = measure(asked, Path(scratch))
    for name, details in result.details.items():
        print(f"{name}: {json.dumps(details)}")


if __name__ == "__main__":
    main()

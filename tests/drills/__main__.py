"""`python -m tests.drills`: what `make drills` runs. Prints a table; exit code 1 if a check failed."""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from tests.drills.chaos import chaos
from tests.drills.damage import damage_drill
from tests.drills.disk import full_disk
from tests.drills.harness import Harness, places, print_table
from tests.drills.kills import kills_in_a_row
from tests.drills.laws import GROUPS, laws_drill
from tests.drills.nodes import INSIDE, in_a_namespace, lost_nodes
from tests.drills.store import store_faults
from tests.support import s3_server

IN_PLACES = ("faults", "disk", "kills", "chaos")
PARTS = [*IN_PLACES, "nodes", "damage", *GROUPS]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.drills")
    parser.add_argument("--kills", type=int, default=20, help="kills in a row, per place")
    parser.add_argument("--artworks", type=int, default=60)
    parser.add_argument("--seed", type=int, default=71)
    parser.add_argument("parts", nargs="*", metavar="DRILL", help=f"of {', '.join(PARTS)}; all")
    parser.add_argument("--nights", type=int, default=50, help="nights of chaos")
    parser.add_argument("--damages", type=int, default=40, help="damaged files; 0: all")
    parser.add_argument("--place", choices=("local", "s3"), help="one place only")
    parser.add_argument("--losses", type=int, default=10, help="nodes lost, one a run")
    parser.add_argument("--runs", type=int, nargs="*", help="only these of the runs with nodes")
    options = parser.parse_args()
    os.environ.update(
        AWS_ACCESS_KEY_ID=s3_server.ACCESS_KEY,
        AWS_SECRET_ACCESS_KEY=s3_server.SECRET_KEY,
        AWS_DEFAULT_REGION="us-east-1",
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = Path(tempfile.mkdtemp(prefix="simsearch-drills-"))
    harness = Harness(folder, options.seed, options.artworks, Console(width=160, highlight=False))
    harness.console.print(f"seed {options.seed}; logs in {folder}")
    parts = options.parts or PARTS
    if unknown := {*parts} - {*PARTS}:
        parser.error(f"no drill named {', '.join(sorted(unknown))}; there are: {', '.join(PARTS)}")
    if INSIDE in os.environ:
        # Said outright: a head would take up a token that lies in the user's home, workers not. Not for the
        # other drills: a Ray of this process has read its mode when it was imported.
        os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))
        lost_nodes(harness, options.losses, options.runs)
        print_table(harness)
        sys.exit(not all(row.passed for row in harness.rows))
    failed = "nodes" in parts and in_a_namespace(sys.argv[1:])
    if "damage" in parts:
        damage_drill(harness, folder / "damage", options.damages)
    for name in GROUPS:
        if name in parts:
            laws_drill(harness, name)
    if not {*parts} & {*IN_PLACES}:
        print_table(harness)
        sys.exit(bool(failed) or not all(row.passed for row in harness.rows))
    with places(folder, options.place) as chosen_places:
        for place in chosen_places:
            place.add_pictures(0, options.artworks)
            if "disk" in parts and place.endpoint is None:
                full_disk(harness, place)
            if "faults" in parts and place.endpoint is not None:
                store_faults(harness, place)
            if "kills" in parts:
                kills_in_a_row(harness, place, options.kills)
            if "chaos" in parts and place.endpoint is not None:
                chaos(harness, place, options.nights)
    print_table(harness)
    sys.exit(bool(failed) or not (harness.rows and all(row.passed for row in harness.rows)))


if __name__ == "__main__":
    main()

"""`simsearch snapshots forget`: takes an artwork down."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from simsearch.cli.arguments import RootWords, root_config_of
from simsearch.cli.terminal import printable, show
from simsearch.errors import UsageError
from simsearch.snapshots.root import require_root
from simsearch.storage.storage import root_of


def forget(
    artwork: Annotated[str, typer.Argument(help="the artwork's id")],
    yes: Annotated[
        bool, typer.Option("--yes", help="do not ask; needed without a terminal")
    ] = False,
    words: RootWords = None,
) -> None:
    """Take an artwork out of all snapshots, for good: its rows, vectors, pictures, and places in lists."""
    from simsearch.runs.forgetting.damage import advise_on_damage
    from simsearch.runs.forgetting.forget import find_removal
    from simsearch.runs.forgetting.forget import forget as remove
    from simsearch.runs.operations.lease import hold_lease

    config = root_config_of(words)
    storage = root_of(config)
    require_root(storage)
    with hold_lease(storage, config.lease) as lease, advise_on_damage(storage):
        removal = find_removal(storage, artwork)
        count = len(removal.record.snapshots)
        named = printable(artwork)
        if not yes:
            if not sys.stdin.isatty():
                raise UsageError(
                    f"{named}: this removes it from {count} snapshots of {storage.root} for good; say so with --yes"
                )
            typer.confirm(f"Remove {named} from {count} snapshots of {storage.root}?", abort=True)
        done = remove(config, storage, removal, lease)
    show(f"removed {named} from {count} snapshots; recorded in {storage.uri(done.path)}")
    below = storage.uri("").rstrip("/") + "/"
    for address in sorted(removal.trace.addresses):
        if not address.startswith(below):
            show(f"its picture is not in the root and stays: {printable(address)}")
    if others := removal.trace.shared_with:
        show(
            f"its picture and vectors stay, because other artworks show it: {printable(', '.join(others))}"
        )
    show("static copies, Atlas files and downloaded sets were made before: export them again")

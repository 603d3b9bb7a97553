"""`simsearch verdicts …`: what people said of pairs of pictures, to list, to hand on, to take in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from simsearch.cli.answers import check_ending, import_table, stored_root, write_file
from simsearch.cli.arguments import AsJson, RootWords, root_config_of
from simsearch.cli.terminal import printable, show, show_json
from simsearch.errors import UsageError

app = typer.Typer(no_args_is_help=True, help="List, export and import what people said of pairs.")

ENDINGS = (".csv", ".parquet", ".json")
HASH_SHOWN = 12  # digits of a picture's content hash that a line shows where no artwork shows it


@app.command("list")
def list_command(words: RootWords = None, as_json: AsJson = False) -> None:
    """List the verdicts that count, the newest first."""
    from simsearch.reading.verdict_files import current_verdicts, verdict_table
    from simsearch.reading.view import SnapshotView
    from simsearch.snapshots.published import latest_snapshot

    config = root_config_of(words)
    storage = stored_root(config)
    view = SnapshotView(config, latest_snapshot(storage))
    rows = verdict_table(view, current_verdicts(storage)).to_pylist()
    if as_json:
        show_json(rows)
        return
    for row in rows:
        first, second = (
            row[f"{place}_id"] or f"picture {row[f'{place}_hash'][:HASH_SHOWN]}"
            for place in ("first", "second")
        )
        said = f"{row['at'][:10]}  {row['who']}  {row['verdict']}: {first}, {second}"
        show(printable(said))
    if not rows:
        show(
            "no verdicts yet; the explorer's page of near-duplicates leads to where they are given"
        )


@app.command("export")
def export_command(
    file: Annotated[
        Path, typer.Argument(help="….csv, ….parquet, or ….json for IIIF annotations (W3C)")
    ],
    words: RootWords = None,
    address: Annotated[
        str | None,
        typer.Option(help="of the explorer whose manifests annotations name; else explore's own"),
    ] = None,
) -> None:
    """Write the verdicts that count into a local file, as the annotations of IIIF canvases if it ends with
    .json."""
    from simsearch.reading.csv_text import csv_bytes
    from simsearch.reading.pictures import Pictures
    from simsearch.reading.verdict_annotations import annotation_page
    from simsearch.reading.verdict_files import current_verdicts, verdict_table
    from simsearch.reading.view import SnapshotView
    from simsearch.snapshots.published import latest_snapshot
    from simsearch.storage.parquet import encode_table

    ending = check_ending(file, ENDINGS)
    if address is not None and not address.startswith(("http://", "https://")):
        raise UsageError(f"--address {address}: give an address that begins with https://")
    config = root_config_of(words)
    storage = stored_root(config)
    view = SnapshotView(config, latest_snapshot(storage))
    verdicts = current_verdicts(storage)
    table = verdict_table(view, verdicts)
    here = sum(bool(row["first_id"] and row["second_id"]) for row in table.to_pylist())
    if ending == ".json":
        explorer = address or f"http://{config.explore.host}:{config.explore.port}"
        page = annotation_page(view, Pictures(), explorer, verdicts)
        data = json.dumps(page, ensure_ascii=False, indent=1).encode()
        written = f"{len(page['items']):,} annotations"
        left = "left out: annotations need an artwork"
    else:
        data = csv_bytes(table) if ending == ".csv" else encode_table(table)
        written = f"{len(verdicts):,} verdicts"
        left = "written without artworks"
    write_file(file, data)
    show(f"{written}: {file}")
    if away := len(verdicts) - here:
        show(f"{away:,} on pictures that the published snapshot does not show, {left}")


@app.command("import")
def import_command(
    file: Annotated[str, typer.Argument(help="a table that `simsearch verdicts export` wrote")],
    words: RootWords = None,
) -> None:
    """Store the verdicts of a table beside those that are there. Of two on a pair the newer counts."""
    from simsearch.reading.verdict_files import import_verdicts

    config = root_config_of(words)
    storage = stored_root(config)
    done = import_table(
        file, config, lambda records, notes: import_verdicts(storage, records, notes)
    )
    show(
        f"{done.rows:,} rows: {done.stored:,} verdicts stored, {done.before:,} known before, "
        f"{done.left_out:,} left out"
    )

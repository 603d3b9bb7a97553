"""`simsearch snapshots …`: look at snapshots, and choose the published one."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich import filesize
from rich.box import SIMPLE
from rich.table import Table

from simsearch.cli.arguments import AsJson, RootWords, root_config_of
from simsearch.cli.forget import forget
from simsearch.cli.terminal import cell, printable, show, show_error, show_json, show_table
from simsearch.errors import (
    DamagedError,
    MismatchError,
    NotFoundError,
    StorageError,
    UsageError,
)
from simsearch.settings.config import Config
from simsearch.snapshots.diff import SnapshotDiff, diff, neighbour_changes
from simsearch.snapshots.published import (
    Latest,
    find_snapshot,
    latest_snapshot,
    list_snapshots,
    point_latest,
    read_latest,
)
from simsearch.snapshots.root import require_root
from simsearch.snapshots.snapshot import Snapshot
from simsearch.snapshots.viewing import list_viewings
from simsearch.storage.damage import move
from simsearch.storage.storage import Storage

SHOWN = 10  # artworks named per kind of change; --json names all
app = typer.Typer(no_args_is_help=True, help="Look at snapshots, and choose the published one.")
app.command()(forget)

Name = Annotated[str, typer.Argument(help="a snapshot's id, its beginning, or 'latest'")]
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def existing_root(config: Config) -> Storage:
    """The root of a config. Raises UsageError if there was no run yet, StorageError for a root of another
    format."""
    storage = Storage(config.root, config.storage)
    require_root(storage)
    return storage


@app.command("list")
def list_command(words: RootWords = None, as_json: AsJson = False) -> None:
    """List the sealed snapshots, the newest first."""
    storage = existing_root(root_config_of(words))
    latest = read_latest(storage)
    rows: list[dict[str, Any]] = []
    for snapshot in list_snapshots(storage):
        try:
            rows.append(_describe(snapshot, latest))
        except StorageError as error:
            rows.append({"snapshot_id": snapshot.snapshot_id, "damaged": str(error)})
    if as_json:
        show_json(rows)
        return
    for row in rows:
        if "damaged" in row:
            show(f"{row['snapshot_id']}  damaged: {row['damaged']}")
            continue
        mark = "published" if row["published"] else "rolled back" if row["withdrawn"] else ""
        counts = ", ".join(f"{row[name]:,} {name}" for name in ("artworks", "rejects", "images"))
        when = row["created"].replace("T", " ")
        show(f"{row['snapshot_id']}  {when} UTC  {mark:11}  {counts}")
        show(f"{'':16}  {', '.join(row['spaces'])}")


def _describe(snapshot: Snapshot, latest: Latest | None) -> dict[str, Any]:
    plan = snapshot.plan()
    return {
        "snapshot_id": snapshot.snapshot_id,
        "created": snapshot.created()[:19],
        "published": latest is not None and latest.snapshot_id == snapshot.snapshot_id,
        "withdrawn": latest is not None and snapshot.snapshot_id in latest.withdrawn,
        **asdict(snapshot.counts()),
        "spaces": [space.name for space in plan.spaces],
    }


@app.command("show")
def show_command(name: Name, words: RootWords = None) -> None:
    """Print a snapshot's inputs and steps: its manifest as JSON, without the list of files."""
    manifest = find_snapshot(existing_root(root_config_of(words)), name).manifest()
    files = manifest.pop("files")
    size = sum(file["bytes"] for file in files.values())
    show_json({**manifest, "files": len(files), "bytes": size})


@app.command("diff")
def diff_command(old: Name, new: Name, words: RootWords = None, as_json: AsJson = False) -> None:
    """Name the artworks, settings, neighbours and metrics that changed from one snapshot to another."""
    storage = existing_root(root_config_of(words))
    older, newer = find_snapshot(storage, old), find_snapshot(storage, new)
    changes, neighbours = diff(older, newer), neighbour_changes(older, newer)
    if as_json:
        answer = {**asdict(changes), "neighbours": [asdict(change) for change in neighbours]}
        show_json(answer)
        return
    show(f"{older.snapshot_id} → {newer.snapshot_id}")
    show(f"artworks: {changes.artworks}")
    for kind, ids in vars(changes.artworks).items():
        for entry in ids[:SHOWN]:
            named = " → ".join(entry) if isinstance(entry, tuple) else entry
            show(f"  {kind.replace('_', ' ')}: {printable(named)}")
        if len(ids) > SHOWN:
            show(f"  … {len(ids) - SHOWN:,} more {kind.replace('_', ' ')}; --json has all")
    for key, (before, after) in changes.settings.items():
        show(f"setting {key}: {printable(str(before))} → {printable(str(after))}")
    for change in neighbours:
        note = "" if change.same_space else ", ANOTHER feature space"
        show(
            f"neighbours, {change.space}: {change.kept:.1%} kept over {change.queries:,} originals in "
            f"both, {change.moved:,} lists moved{note}"
        )
    _print_metrics(changes)


def _print_metrics(changes: SnapshotDiff) -> None:
    rows = changes.overall_metrics
    show(
        f"metrics: {len(changes.metrics):,} moved"
        + (", of all copies by exact search:" if rows else "")
    )
    if not rows:
        return
    table = Table("space", "k", "metric", "before", "after", "moved", box=SIMPLE)
    for row in rows:
        before, after = row["before"], row["after"]
        moved = "" if before is None or after is None else f"{after - before:+.4f}"
        values = ["" if value is None else f"{value:.4f}" for value in (before, after)]
        table.add_row(cell(row["space"]), str(row["k"]), row["metric"], *values, moved)
    show_table(table)


@app.command()
def rollback(name: Name, words: RootWords = None) -> None:
    """Publish an older snapshot again. The withdrawn one is not published until publish.force=true."""
    from simsearch.runs.operations.lease import hold_lease

    config = root_config_of(words)
    storage = existing_root(config)
    target = find_snapshot(storage, name)
    with hold_lease(storage, config.lease) as lease:
        current = _read_current(storage)
        withdrawn: list[str] = [] if current is None else list(current.withdrawn)
        if current is not None and current.snapshot_id != target.snapshot_id:
            withdrawn.append(current.snapshot_id)
        still_withdrawn = tuple(
            snapshot_id
            for snapshot_id in dict.fromkeys(withdrawn)
            if snapshot_id != target.snapshot_id
        )
        point_latest(target, lease.token, still_withdrawn)
    show(f"published: {target.snapshot_id}")
    if still_withdrawn:
        show(f"not published again unless publish.force=true: {', '.join(still_withdrawn)}")


def _read_current(storage: Storage) -> Latest | None:
    """The content of LATEST. A damaged LATEST is moved away, which loses the list of snapshots that were
    rolled back."""
    try:
        return read_latest(storage)
    except DamagedError as error:
        kept = move(storage, error.path)
        show_error(
            f"{error.root}/{error.path}: {error.problem}; it lies in {kept} now, and which snapshots "
            "had been rolled back is not known any more"
        )
        return None


@app.command()
def verify(
    name: Annotated[str | None, typer.Option("--snapshot", help="only this one; else all")] = None,
    words: RootWords = None,
) -> None:
    """Compute every digest again from the stored bytes; exit code 1 if one differs."""
    from simsearch.snapshots.verification import verify as problems_of

    storage = existing_root(root_config_of(words))
    chosen = [find_snapshot(storage, name)] if name else list_snapshots(storage)
    if pointer := _pointer_problem(storage):
        show(pointer)
    broken = 0
    for snapshot in chosen:
        problems = list(problems_of(snapshot))
        broken += bool(problems)
        show(f"{snapshot.snapshot_id}: {'whole' if not problems else ''}".rstrip())
        for problem in problems:
            show(f"  {problem}")
    if broken:
        raise MismatchError(
            f"{storage.root}: {broken} of {len(chosen)} snapshots are damaged; of the published one remove the "
            "damaged files and run again with the same settings, which makes anew what is missing; an older one "
            "stays damaged until `simsearch snapshots gc` removes it"
        )
    if pointer:
        raise MismatchError(pointer)


def _pointer_problem(storage: Storage) -> str:
    """The fault of LATEST. Empty if it names a snapshot, or if nothing is published yet."""
    try:
        latest_snapshot(storage)
    except NotFoundError:
        return ""
    except StorageError as error:
        return str(error)
    return ""


@app.command()
def gc(
    keep: Annotated[
        int, typer.Option(min=1, help="keep the newest so many, and the published one")
    ],
    grace: Annotated[
        str, typer.Option(help="leave what is younger: a number and one of s, m, h, d, w")
    ] = "7d",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would go")] = False,
    words: RootWords = None,
) -> None:
    """Remove files that no kept snapshot refers to: snapshots, catalogs, vectors, downloaded images."""
    from simsearch.runs.operations.lease import hold_lease
    from simsearch.snapshots.garbage import find_garbage, remove, removed_artworks

    config = root_config_of(words)
    storage = existing_root(config)
    older_than = time.time() - seconds_of(grace)
    with hold_lease(storage, config.lease) as lease:
        garbage = find_garbage(storage, keep, older_than)
        if not dry_run:
            lease.check()
            remove(storage, garbage, lease.confirm)
        still_held = removed_artworks(storage, keep)
        shown = list_viewings(storage)
    counts: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for file in garbage:
        counts[file.why] += 1
        sizes[file.why] += file.size
    for why, count in counts.items():
        show(f"{count:>8,} files {filesize.decimal(sizes[why]):>12}  {why}")
    verb = "would be removed" if dry_run else "removed"
    show(f"{len(garbage):>8,} files {filesize.decimal(sum(sizes.values())):>12}  {verb}")
    for viewing in shown:
        show(f"snapshot {viewing.snapshot_id} is kept while it is shown by {viewing.holder}")
    _show_still_held(still_held)


def _show_still_held(artworks: dict[str, list[str]]) -> None:
    """Name the kept snapshots that hold artworks which the published one no longer has."""
    for snapshot_id, ids in artworks.items():
        named = ", ".join(printable(artwork_id) for artwork_id in ids[:SHOWN])
        more = f" and {len(ids) - SHOWN:,} more" if len(ids) > SHOWN else ""
        show(f"snapshot {snapshot_id} still holds what the published one does not: {named}{more}")
    if artworks:
        show("`simsearch snapshots forget ARTWORK` takes one out of all snapshots")


def seconds_of(text: str) -> float:
    """`90s`, `30m`, `12h`, `7d`, `2w` in seconds. Raises UsageError."""
    number, unit = text[:-1], text[-1:]
    if unit not in UNITS or not number.isdigit():
        raise UsageError(f"--grace {text!r}: write a number and one of s, m, h, d, w, such as 7d")
    return int(number) * UNITS[unit]

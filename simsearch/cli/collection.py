"""The commands that bring a collection from its images to a published snapshot."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Annotated

import typer

from simsearch.cli.arguments import (
    Retry,
    Sample,
    Seed,
    Words,
    completions,
    config_of,
    is_settings_file,
    split_words,
    to_words,
)
from simsearch.cli.printing import print_result
from simsearch.cli.terminal import show
from simsearch.errors import UsageError
from simsearch.settings.config import Config, load_config
from simsearch.settings.extras import check_installed

app = typer.Typer()

Collection = Annotated[
    list[str] | None,
    typer.Argument(
        autocompletion=completions,
        metavar="[FOLDER | TABLE | IIIF address | CONFIG.yaml] [key=value]...",
        help="a collection or a settings file, then settings that go over it, such as "
        "extract.batch_size=64. Of a collection the results are kept in <name>-simsearch beside it, "
        "and the settings in <name>-simsearch.yaml",
    ),
]
Explore = Annotated[bool, typer.Option("--explore", help="open the web pages at the end")]


@app.command()
def run(
    words: Collection = None,
    retry_rejects: Retry = None,
    sample: Sample = None,
    seed: Seed = None,
    explore: Explore = False,
) -> None:
    """The whole job: ingest to report and publication. Resumes after a crash."""
    check_installed("run", "simsearch run")
    if explore:
        check_installed("explore", "simsearch run --explore")
    options = {"catalog.sample": sample, "seed": seed, "extract.retry_rejects": retry_rejects}
    place, overrides = split_words(words)
    config, kept = settings_of(place, [*overrides, *to_words(options)])
    from simsearch.runs import job

    with kept:
        snapshot = job.run(config).snapshot
    print_result(config, snapshot)
    if explore:
        from simsearch.explorer.server.serve import serve

        with suppress(KeyboardInterrupt):  # which is how a server is stopped
            serve(config, [config.root], browser=True)


@app.command()
def check(words: Collection = None) -> None:
    """Say in under half a minute whether a run would succeed, and what it would cost. Stores nothing."""
    check_installed("run", "simsearch check")
    place, overrides = split_words(words)
    config, _ = settings_of(place, overrides)
    from simsearch.cli.check import print_report
    from simsearch.runs.checks.check import check as check_all

    # Warnings are part of the table.
    logging.getLogger("simsearch").setLevel(logging.ERROR)
    checked = check_all(config)
    print_report(checked)
    raise typer.Exit(1 if checked.would_fail else 0)


@app.command()
def demo(words: Words = None) -> None:
    """The whole job on a small generated collection, in a folder `demo`, to see what it gives."""
    check_installed("run", "simsearch demo")
    from simsearch.cli.demo import demo_config
    from simsearch.runs import job

    config = demo_config(list(words or ()))
    print_result(config, job.run(config).snapshot)


@app.command()
def reindex(words: Words = None, retry_rejects: Retry = None) -> None:
    """Bring the published snapshot up to date with the collection. Only changes are computed."""
    check_installed("run", "simsearch reindex")
    config = config_of(words, {"extract.retry_rejects": retry_rejects})
    from simsearch.runs import job

    result = job.reindex(config)
    show(f"artworks: {result.changes}")
    show(f"snapshot {result.snapshot.snapshot_id}, {result.record.outcome}")


def settings_of(
    place: str | None, overrides: Sequence[str]
) -> tuple[Config, AbstractContextManager[None]]:
    """The settings of a settings file or, for a collection, those of its front door. Also a context for the
    run, which writes the latter beside the root. Raises UsageError."""
    if place == "-":
        raise UsageError(
            "-: a collection is read again each night, so it has to stay in a place; save it there"
        )
    if place is None or is_settings_file(place):
        return load_config(place, overrides), nullcontext()
    from simsearch.runs.front_door import open_front_door

    door = open_front_door(place, overrides)
    return door.config, door.keep_settings()

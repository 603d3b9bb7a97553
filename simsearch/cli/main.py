"""The `simsearch` command: it reads the settings, calls one function, and turns errors into exit codes.

Steps are imported when they are called: PyTorch and Ray take seconds, but a wrong setting is reported at
once.
"""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Annotated

import typer
from typer.exceptions import TyperException

from simsearch.cli.arguments import AsJson, RootWords, Words, config_of, root_config_of
from simsearch.cli.collection import app as collection_app
from simsearch.cli.explore import app as explore_app
from simsearch.cli.input import open_picture
from simsearch.cli.judgements import app as judgements_app
from simsearch.cli.printing import (
    matches_json,
    print_matches,
    print_runs,
    print_same,
    same_json,
)
from simsearch.cli.snapshots import app as snapshots_app
from simsearch.cli.snapshots import existing_root
from simsearch.cli.steps import app as steps_app
from simsearch.cli.terminal import (
    ClosedPipeError,
    PrintableFormatter,
    accept_any_letter,
    close_standard_output,
    printable,
    show,
    show_error,
    show_json,
)
from simsearch.cli.verdicts import app as verdicts_app
from simsearch.errors import SimsearchError
from simsearch.runtime.background import end_process
from simsearch.runtime.environment import prepare_environment
from simsearch.settings.extras import MODULES, check_installed, install_line
from simsearch.settings.version import __version__
from simsearch.storage.storage import root_of

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
INTERRUPTED = 130


def _show_version(wanted: bool) -> None:
    if wanted:
        show(__version__)
        raise typer.Exit


config_app = typer.Typer(no_args_is_help=True, help="Look at the settings.")
app.add_typer(config_app, name="config")
app.add_typer(collection_app)
app.add_typer(snapshots_app, name="snapshots")
app.add_typer(judgements_app, name="judgements")
app.add_typer(verdicts_app, name="verdicts")
app.add_typer(steps_app)
app.add_typer(explore_app)


@app.command()
def schedule(
    cron: Annotated[str, typer.Option(help="when, as five cron fields, such as '0 3 * * *'")],
    words: Words = None,
    timezone: Annotated[str, typer.Option(help="whose clock, such as Europe/Paris")] = "UTC",
    port: Annotated[
        int | None, typer.Option(help="serve Prometheus metrics on this port of 127.0.0.1")
    ] = None,
    systemd: Annotated[
        bool, typer.Option("--systemd", help="print unit files for a systemd timer instead")
    ] = False,
) -> None:
    """Reindex on a schedule, one run at a time, until stopped. The fields follow cron's rules."""
    check_installed("run", "simsearch schedule")
    config = config_of(words)
    from simsearch.runs.operations import schedule as schedules

    plan = schedules.Schedule.parse(cron, timezone)
    if systemd:
        show(schedules.systemd_units(plan, list(words or ())).rstrip("\n"))
        return
    schedules.serve(plan, config, list(words or ()), port)


@app.command()
def runs(
    words: RootWords = None,
    as_json: AsJson = False,
    n: Annotated[int, typer.Option("--number", "-n", min=1, help="the newest so many")] = 20,
) -> None:
    """List the runs, the newest first: their times, ends and results."""
    from simsearch.runs.records import list_records

    records = list_records(existing_root(root_config_of(words)), n)
    if as_json:
        rows = [record.to_json() for record in records]
        show_json(rows)
        return
    print_runs(records)


@app.command()
def query(
    image: Annotated[str, typer.Argument(help="an image file, or - for the standard input")],
    words: RootWords = None,
    n: Annotated[int, typer.Option("--number", "-n", min=1, help="artworks per space")] = 10,
    as_json: AsJson = False,
) -> None:
    """Print the artworks that show the same picture as an image, and the nearest ones per space, from the
    published snapshot."""
    check_installed("run", "simsearch query")
    config = root_config_of(words)
    from simsearch.reading.collection import collection_of, query_file
    from simsearch.snapshots.published import latest_snapshot

    collection = collection_of(config, latest_snapshot(root_of(config)))
    with open_picture(image, config.images.max_bytes) as path:
        same, matches_by_space = query_file(collection, path, n)
    if as_json:
        spaces = {name: matches_json(matches) for name, matches in matches_by_space.items()}
        show_json({"same_pictures": [same_json(own) for own in same], "spaces": spaces})
        return
    print_same(same)
    for matches in matches_by_space.values():
        print_matches(matches)


@app.command()
def experiment(
    name: Annotated[
        str, typer.Argument(help="study-2018: the 2018 study, as published and corrected")
    ],
    words: Words = None,
    collection: Annotated[
        str | None,
        typer.Option(help="a folder or bucket of images, in place of the settings' catalog"),
    ] = None,
) -> None:
    """Run a preset experiment, several settings over the same originals, and report them side by side.

    Publishes no snapshot. An experiment that was interrupted resumes with the same command.
    """
    check_installed("run", "simsearch experiment")
    reader = None if collection is None else "folder"
    config = config_of(words, {"catalog.reader": reader, "catalog.source": collection})
    from simsearch.runs.experiment import run_experiment

    show(f"report: {run_experiment(name, config)}")


@app.command()
def encoders(
    words: Words = None,
    like: Annotated[
        str, typer.Option(help="names to list, such as 'resnet*' or 'timm:*vit*dino*'")
    ] = "",
) -> None:
    """List the networks that extract.spaces can name: the numbers of a vector, the place of the weights if
    no download is needed, their licence, and the layer."""
    check_installed("run", "simsearch encoders")
    config = config_of(words)
    from simsearch.cli.encoders import list_lines

    for line in list_lines(config, like):
        show(line)


@app.command()
def perturbations() -> None:
    """List the profiles that can be named in perturbations.profiles, and the suites they are in."""
    from simsearch.images.perturbations import PROFILES, suites_of
    from simsearch.images.suites import SUITES

    for profile in PROFILES.values():
        suites = ", ".join(suites_of(profile.name))
        show(f"{profile.name:14} {profile.kind:12} {suites:24} {profile.description}")
    show("\nsuites, to be named in perturbations.suite:")
    for name, profiles in SUITES.items():
        show(f"{name:14} {len(profiles)} profiles: {', '.join(profiles)}")


@config_app.command("show")
def config_show(
    words: Words = None,
    everything: Annotated[
        bool, typer.Option("--all", help="print those that are seldom set, too")
    ] = False,
) -> None:
    """Print the settings that a run would use, each with its meaning, as YAML to begin a file with: those
    that people set, and those that differ from their defaults."""
    from simsearch.settings.shown import settings_text

    show(settings_text(config_of(words), everything=everything).rstrip("\n"))


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_show_version, help="print the version"),
    ] = False,
) -> None:
    """Which artworks look alike, in which feature space, and how far can the answer be trusted?"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command line (None: this process's own) and end this process: 0 success, 1 failure, 2 misuse."""
    accept_any_letter()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PrintableFormatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("simsearch").setLevel(logging.INFO)
    prepare_environment()
    end_process(exit_code(arguments))


def exit_code(arguments: Sequence[str] | None) -> int:
    """Run a command line and return the exit code for its process. SIGTERM ends it as Ctrl-C does."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        given = None if arguments is None else list(arguments)
        code: int = app(args=given, standalone_mode=False) or 0
    except SimsearchError as error:
        show_error(f"error: {printable(str(error))}")
        return error.exit_code
    except TyperException as error:
        show_error(f"{error}\nsee simsearch --help")
        return 2
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        extra = next((extra for extra, names in MODULES.items() if missing in names), None)
        if extra is None:
            raise
        show_error(f"error: this command needs the extra {extra!r}; {install_line(extra)}")
        return 2
    except ClosedPipeError:
        close_standard_output()
        return 0
    except SystemExit as error:  # raised by Rich for a closed pipe when it prints help
        if not isinstance(error.__context__, BrokenPipeError):
            raise
        close_standard_output()
        return 0
    if code == INTERRUPTED:  # Typer's exit code for a KeyboardInterrupt
        show_error("interrupted; run the same command again to resume")
    return code


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """End a run at a scheduler's SIGTERM as at Ctrl-C: the lease is released, and records are stored."""
    raise KeyboardInterrupt

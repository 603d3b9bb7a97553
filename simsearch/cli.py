"""The `simsearch` command: reads the config, calls one function, turns errors into exit codes.

The steps are imported when they are called: PyTorch and Ray take seconds, a wrong setting none.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from typer.exceptions import TyperException

from simsearch import __version__
from simsearch.config import Config, dump_config, load_config
from simsearch.errors import SimsearchError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Which artworks look alike, in which feature space, and how far can the answer be trusted?",
)
config_app = typer.Typer(no_args_is_help=True, help="Look at the settings.")
app.add_typer(config_app, name="config")

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[CONFIG.yaml] [key=value]...",
        help="a settings file, then settings that go over it, such as extract.batch_size=64",
    ),
]


@app.command()
def run(words: Words = None) -> None:
    """The whole job: ingest, extract, index, evaluate, project, report, publish. Resumes after a crash."""
    config = _config(words)
    from simsearch import pipeline
    from simsearch.evaluation.evaluate import metrics_path
    from simsearch.report import metrics_text, report_path

    snapshot = pipeline.run(config)
    plan = snapshot.plan()
    metrics = snapshot.storage.read_table(metrics_path(snapshot))
    untrained = frozenset(space.backbone for space in plan.spaces if not space.trained)
    print(metrics_text(metrics, untrained))
    print(f"\nreport: {snapshot.storage.uri(report_path(snapshot))}")


@app.command()
def ingest(words: Words = None) -> None:
    """Read the collection's metadata into the catalog, downloading images where asked to."""
    config = _config(words)
    from simsearch import pipeline

    pipeline.ingest(config)


@app.command()
def extract(words: Words = None) -> None:
    """Turn images and their perturbed copies into feature vectors, only those that are missing."""
    config = _config(words)
    from simsearch import pipeline

    pipeline.extract(config)


@app.command()
def index(words: Words = None) -> None:
    """Build an Annoy index per backbone and check it against exact search."""
    config = _config(words)
    from simsearch import pipeline

    pipeline.index(config)


@app.command()
def evaluate(words: Words = None) -> None:
    """Measure how many of each original's perturbed copies every backbone recovers."""
    config = _config(words)
    from simsearch import pipeline

    pipeline.evaluate(config)


@app.command()
def project(words: Words = None) -> None:
    """Lay out every feature space in two dimensions, for the explorer's map."""
    config = _config(words)
    from simsearch import pipeline

    pipeline.project(config)


@app.command()
def report(words: Words = None) -> None:
    """Write the HTML report with its figures, and publish the snapshot."""
    config = _config(words)
    from simsearch import pipeline

    pipeline.report(config)


@app.command()
def query(
    image: Annotated[Path, typer.Argument(help="an image file")],
    words: Words = None,
    n: Annotated[int, typer.Option("--number", "-n", min=1, help="artworks per backbone")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON, for machines")] = False,
) -> None:
    """Print the artworks nearest to an image, per backbone, from the published snapshot."""
    config = _config(words)
    from simsearch.query import query as query_snapshot
    from simsearch.snapshots import latest_snapshot
    from simsearch.storage import Storage

    found = query_snapshot(config, latest_snapshot(Storage(config.root, config.storage)), image, n)
    if as_json:
        answer = {name: [asdict(match) for match in matches] for name, matches in found.items()}
        print(json.dumps(answer, indent=2, ensure_ascii=False))
        return
    for name, matches in found.items():
        table = Table(
            "rank",
            "score",
            "artwork",
            "title",
            "artists",
            "image",
            title=name,
            title_justify="left",
        )
        for match in matches:
            cells = (match.artwork_id, match.title, ", ".join(match.artists), match.image_uri)
            table.add_row(str(match.rank), f"{match.score:.4f}", *(_plain(cell) for cell in cells))
        Console().print(table)


@app.command()
def explore(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ROOT | CONFIG.yaml]... [key=value]...",
            help="storage roots to show or a settings file, then settings that go over it",
        ),
    ] = None,
    browser: Annotated[bool, typer.Option(help="open the web browser")] = True,
    ray_serve: Annotated[
        bool, typer.Option("--ray-serve", help="serve on Ray Serve, at ray.address or here")
    ] = False,
    export: Annotated[
        str | None,
        typer.Option(metavar="FOLDER", help="write a static copy of the pages there instead"),
    ] = None,
) -> None:
    """Show the published snapshot as web pages on this machine, until interrupted."""
    given = list(words or ())
    roots = [word for word in given if "=" not in word and not word.endswith((".yaml", ".yml"))]
    config = _config([word for word in given if word not in roots])
    if export is not None:
        from simsearch.explorer.export import export_site

        print(export_site(config, roots or [config.root], export))
        return
    if ray_serve:
        from simsearch.explorer.deployment import serve_on_ray

        serve_on_ray(config, roots or [config.root])
        return
    from simsearch.explorer.serve import serve

    serve(config, roots or [config.root], browser=browser)


@app.command()
def backbones() -> None:
    """List the networks that can be named in extract.backbones."""
    from simsearch.backbones import backbone_names, get_backbone

    for name in backbone_names():
        backbone = get_backbone(name)
        print(f"{name:24} {backbone.dimension:>6}  {backbone.layer}")


@app.command()
def perturbations() -> None:
    """List the profiles that can be named in perturbations.profiles."""
    from simsearch.perturbations import PROFILES

    for profile in PROFILES.values():
        print(f"{profile.name:24} {profile.description}")


@config_app.command("show")
def config_show(words: Words = None) -> None:
    """Print every setting as a run would use it: defaults, file and overrides together."""
    print(dump_config(_config(words)), end="")


@app.command()
def version() -> None:
    """Print the version."""
    print(__version__)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command line (None: this process's own) and exit: 0 done, 1 failed, 2 misused."""
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    logging.getLogger("simsearch").setLevel(logging.INFO)
    try:
        code = app(args=None if arguments is None else list(arguments), standalone_mode=False)
    except SimsearchError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except TyperException as error:
        print(f"{error}\nsee simsearch --help", file=sys.stderr)
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        print("interrupted; run the same command again to resume", file=sys.stderr)
        sys.exit(130)
    sys.exit(code or 0)


def _config(words: Sequence[str] | None) -> Config:
    given = list(words or ())
    path = given.pop(0) if given and "=" not in given[0] else None
    return load_config(path, given)


def _plain(cell: str | None) -> str:
    """Text from a catalog without control characters or Rich's markup."""
    return "".join(char for char in cell or "" if char.isprintable()).replace("[", r"\[")

"""The steps of a run one at a time: `simsearch ingest`, `extract`, `index`, …"""

from __future__ import annotations

import typer

from simsearch.cli.arguments import Sample, Seed, Words, config_of
from simsearch.settings.extras import check_installed

app = typer.Typer()


@app.command()
def ingest(words: Words = None, sample: Sample = None, seed: Seed = None) -> None:
    """Read the collection's metadata into the catalog. Download images if the settings ask for that."""
    check_installed("run", "simsearch ingest")
    config = config_of(words, {"catalog.sample": sample, "seed": seed})
    from simsearch.runs import job
    from simsearch.runs.context import take

    take(config, job.ingest, new=True)


@app.command()
def train(words: Words = None) -> None:
    """Learn the encoders and heads that the settings' spaces need, from artworks that are not measured."""
    check_installed("run", "simsearch train")
    config = config_of(words)
    from simsearch.runs import steps
    from simsearch.runs.context import take

    take(config, steps.train)


@app.command()
def extract(words: Words = None) -> None:
    """Turn images and their perturbed copies into feature vectors. Only missing vectors are computed."""
    check_installed("run", "simsearch extract")
    config = config_of(words)
    from simsearch.runs import steps
    from simsearch.runs.context import take

    take(config, steps.extract)


@app.command()
def index(words: Words = None) -> None:
    """Build an Annoy index per space and check it against exact search."""
    check_installed("run", "simsearch index")
    config = config_of(words)
    from simsearch.runs import steps
    from simsearch.runs.context import take

    take(config, steps.index)


@app.command()
def neighbours(words: Words = None) -> None:
    """Find every artwork's nearest neighbours in each space, and near-duplicates."""
    config = config_of(words)
    from simsearch.runs import steps
    from simsearch.runs.context import take

    take(config, steps.neighbours)


@app.command()
def evaluate(words: Words = None) -> None:
    """Measure how many of each original's perturbed copies every space recovers."""
    check_installed("run", "simsearch evaluate")
    config = config_of(words)
    from simsearch.runs import steps
    from simsearch.runs.context import take

    take(config, steps.evaluate)


@app.command()
def project(words: Words = None) -> None:
    """Lay out every feature space in two dimensions, for the explorer's map."""
    check_installed("run", "simsearch project")
    config = config_of(words)
    from simsearch.runs import steps
    from simsearch.runs.context import take

    take(config, steps.project)


@app.command()
def report(words: Words = None) -> None:
    """Write the HTML report with its figures, and publish the snapshot."""
    check_installed("run", "simsearch report")
    config = config_of(words)
    from simsearch.runs import publication, steps
    from simsearch.runs.context import open_run

    with open_run(config) as run:
        run.take(steps.report)
        publication.finish(run)
        publication.publish(run)

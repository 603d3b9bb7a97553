"""Preset experiments: several runs that differ in named settings, and one report that compares them.

`study-2018` recomputes the 2018 study as published, as corrected, and with either of the two changes
alone, which shows the effect of each.

    experiments/<name>/<id>/report.html       the comparison; <id> follows from the runs' snapshots
    experiments/<name>/<id>/results/          schemas.METRICS with the setting
    experiments/<name>/<id>/tests/            paired tests, corrected together
    experiments/<name>/<id>/experiment.json   the snapshot of each setting
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from typing import Any

import pyarrow as pa

from simsearch import schemas
from simsearch.errors import MismatchError, UnknownNameError
from simsearch.evaluation.paired_tests import OriginalScores, read_scores
from simsearch.evaluation.statistics import holm, paired_test
from simsearch.reports.experiment import experiment_page
from simsearch.runs.context import open_run
from simsearch.runs.job import ingest
from simsearch.runs.steps import STEPS, check_names, compute, project
from simsearch.runs.versions import environment
from simsearch.runtime.ray_session import ray_session
from simsearch.settings.config import Config
from simsearch.snapshots.snapshot import Snapshot
from simsearch.storage.storage import Storage, root_of

log = logging.getLogger(__name__)

STUDY_ORIGINALS = 1000
STUDY_KS = (1, 3, 5)


@dataclass(frozen=True)
class Setting:
    """One of an experiment's runs: its name, its description, and its settings of `extract`."""

    name: str
    words: str
    mode: str
    preprocessing: str


STUDY_2018 = (
    Setting("published", "as published: live network, not normalised", "study-2018", "study-2018"),
    Setting("eval-only", "eval mode, not normalised", "eval", "study-2018"),
    Setting("transforms-only", "live network, the weights' transforms", "study-2018", "weights"),
    Setting("corrected", "corrected: eval mode, the weights' transforms", "eval", "weights"),
)
UNPUBLISHED = tuple(step for step in STEPS if step is not project)  # nobody sees their maps
EXPERIMENTS = {"study-2018": STUDY_2018}


def run_experiment(name: str, config: Config) -> str:
    """Run every setting of an experiment and compare them. Returns the report's URI.

    No snapshot is published. The same command resumes an interrupted experiment. Raises UnknownNameError
    for an unknown experiment.
    """
    if name not in EXPERIMENTS:
        raise UnknownNameError("experiment", name, EXPERIMENTS)
    storage = root_of(config)
    variants = {setting: variant_of(config, setting) for setting in EXPERIMENTS[name]}
    check_names(config)
    with (
        open_run(config, new=True) as run,
        ray_session(config.ray, run.lease.shared_files()),
    ):
        run.take(ingest)
        runs = {}
        for number, (setting, variant) in enumerate(variants.items(), start=1):
            log.info("%s: setting %d of %d: %s", name, number, len(variants), setting.words)
            runs[setting] = _compute(variant)
    return _store(name, config, storage, runs)


def variant_of(config: Config, setting: Setting) -> Config:
    """The settings of one run: the study's copies and ranks, the user's collection and networks."""
    values = config.model_dump(mode="json")
    values["perturbations"] |= {
        "suite": "study-2018",
        "profiles": None,
        "originals": config.perturbations.originals or STUDY_ORIGINALS,
        "reencode_jpeg": True,
        "side": None,
    }
    values["extract"] |= {"mode": setting.mode, "preprocessing": setting.preprocessing}
    values["evaluate"] |= {
        "ks": list(STUDY_KS),
        "neighbours": max(config.evaluate.neighbours, STUDY_KS[-1]),
    }
    return Config.model_validate(values)


def _compute(config: Config) -> Snapshot:
    """A sealed snapshot for the settings, which is not published."""
    with open_run(config) as run:
        return compute(run, UNPUBLISHED, publishing=False)


def _store(name: str, config: Config, storage: Storage, runs: Mapping[Setting, Snapshot]) -> str:
    ids = {setting.name: snapshot.snapshot_id for setting, snapshot in runs.items()}
    digest = hashlib.sha256(json.dumps(ids, sort_keys=True).encode()).hexdigest()[:16]
    folder = f"experiments/{name}/{digest}"
    results = results_table(
        {setting.name: run.storage.read_table(run.metrics_path) for setting, run in runs.items()}
    )
    tests = compare_runs(
        {setting.name: run.storage.read_table(run.scores_path) for setting, run in runs.items()},
        resamples=config.evaluate.bootstrap,
        seed=config.seed,
    )
    plans = {setting.name: run.plan() for setting, run in runs.items()}
    page, figures = experiment_page(
        name=name,
        created=datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC"),
        settings={setting.name: setting.words for setting in runs},
        snapshot_ids=ids,
        plans=plans,
        results=results,
        tests=tests,
        batch_size=config.extract.batch_size,
        environment=environment(),
    )
    storage.write_table(f"{folder}/results/results.parquet", results)
    storage.write_table(f"{folder}/tests/tests.parquet", tests)
    for file, data in figures.items():
        storage.write_bytes(f"{folder}/{file}", data)
    storage.write_bytes(f"{folder}/report.html", page.encode())
    storage.write_json(f"{folder}/experiment.json", {"name": name, "snapshots": ids})
    return storage.uri(f"{folder}/report.html")


def results_table(metrics: Mapping[str, pa.Table]) -> pa.Table:
    """All runs' metrics as one table with the `setting` first."""
    return pa.concat_tables(
        table.add_column(0, "setting", pa.array([name] * table.num_rows, pa.string()))
        for name, table in metrics.items()
    )


def compare_runs(scores: Mapping[str, pa.Table], *, resamples: int, seed: int) -> pa.Table:
    """Paired tests of F1 at each k over the same originals, by exact search: of each two spaces within a
    setting, and of each two settings of a space. p-values are corrected after Holm over all tests.

    `first` and `second` are `<space>, <setting>`. Settings may have rejected different artworks: a test is
    over the originals that both have. Raises MismatchError if they share none.
    """
    values: dict[tuple[int, str, str], OriginalScores] = {}
    for setting, table in scores.items():
        for (group, k, metric), by_space in read_scores(table, "exact").items():
            if group == "all" and metric == "f1":
                values |= {
                    (k, space, setting): scores_of_space
                    for space, scores_of_space in by_space.items()
                }
    rows: list[dict[str, Any]] = []
    for first, second in combinations(values, 2):
        same = [a == b for a, b in zip(first, second, strict=True)]
        if not same[0] or same[1] == same[2]:
            continue
        both = values[first].beside(values[second])
        if not len(both[0]):
            raise MismatchError(
                f"{first[2]} and {second[2]} were measured on different originals; look up in their "
                "reports which images were rejected, then run the same command again"
            )
        test = paired_test(*both, resamples=resamples, seed=seed)
        rows.append(
            {
                "compared": "settings" if same[1] else "spaces",
                "k": first[0],
                "metric": "f1",
                "first": f"{first[1]}, {first[2]}",
                "second": f"{second[1]}, {second[2]}",
                **test.__dict__,
            }
        )
    for row, p_holm in zip(rows, holm([row["p_value"] for row in rows]), strict=True):
        row["p_holm"] = p_holm
    rows.sort(key=lambda row: (row["compared"], row["k"], row["first"], row["second"]))
    return pa.Table.from_pylist(rows, schema=schemas.EXPERIMENT_TESTS)

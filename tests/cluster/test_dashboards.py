"""The dashboard and the alerts, asked of a real Prometheus that watched a real run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from PIL import Image
from prometheus_client import start_http_server
from ray.dashboard.modules.reporter.reporter_agent import METRICS_GAUGES

from simsearch.runs.operations.prometheus import RunMetrics
from simsearch.runs.records import list_records
from simsearch.snapshots.published import latest_snapshot
from simsearch.storage.storage import Storage
from tests.cluster.manifests import CLUSTER, pods, rendered
from tests.support.prometheus import Prometheus, program, prometheus
from tests.support.ray_cluster import RayCluster, ray_cluster

# Ray's start and a whole run are one fixture.
pytestmark = [pytest.mark.ray, pytest.mark.drill]

ALERTS = CLUSTER / "dashboards" / "alerts.yaml"
DASHBOARD = CLUSTER / "dashboards" / "simsearch.json"
GOOD = 12
SPACES = {"squeezenet1_1": 512, "efficientnet_lite0": 1280}


@dataclass(frozen=True)
class WatchedRun:
    """The results of a run: its root, the bytes of its good pictures, the Prometheus that watched it."""

    cluster: RayCluster
    prometheus: Prometheus
    storage: Storage
    picture_bytes: int
    output: str


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedRun]:
    """A run on a cluster that asks for a token, over pictures of which one is broken."""
    program("prometheus")
    folder = tmp_path_factory.mktemp("watched")
    size = draw(folder / "pictures")
    root, metrics = Storage(str(folder / "root")), RunMetrics()
    server, _ = start_http_server(0, addr="127.0.0.1", registry=metrics.registry)
    with (
        ray_cluster(dashboard=True) as cluster,
        prometheus(folder, [cluster.metrics, f"127.0.0.1:{server.server_port}"], ALERTS) as watcher,
    ):
        output = run_job(cluster, folder)
        metrics.set(list_records(root)[0])
        wait_until_scraped(watcher)
        yield WatchedRun(cluster, watcher, root, size, output)
    server.shutdown()


def draw(folder: Path) -> int:
    """Good pictures and one that ends too early; returns the bytes of the good ones."""
    folder.mkdir()
    for number in range(GOOD):
        colour = (20 * number, 255 - 20 * number, 90)
        Image.new("RGB", (240, 200), colour).save(folder / f"{number}.png")
    size = sum(path.stat().st_size for path in folder.iterdir())
    (folder / "broken.png").write_bytes((folder / "0.png").read_bytes()[:200])
    return size


def run_job(cluster: RayCluster, folder: Path) -> str:
    done = subprocess.run(
        [
            sys.executable,
            str(CLUSTER.parent / "jobs" / "run.py"),
            f"root={folder / 'root'}",
            "catalog.reader=folder",
            f"catalog.source={folder / 'pictures'}",
            f"extract.backbones=[{','.join(SPACES)}]",
            "extract.weights=['random:0']",
            "extract.max_reject_share=0.2",
            "extract.precision=float32",
            "extract.max_actors=1",
            "evaluate.bootstrap=20",
            "report.examples=1",
            "projection.methods=[pca]",
            "ray.stall_warn=1",  # a run's start takes longer
            f"ray.address={cluster.address}",
        ],
        capture_output=True,
        text=True,
        timeout=700,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stderr


def wait_until_scraped(watcher: Prometheus) -> None:
    """Ray's agents report their metrics every ten seconds."""
    deadline = time.monotonic() + 180
    wanted = GOOD * 6 * len(SPACES)
    while value(watcher, "sum(ray_simsearch_vectors_written_total)") != wanted or not value(
        watcher, "count(simsearch_run_outcome)"
    ):
        assert time.monotonic() < deadline, watcher.query('{__name__=~"ray_simsearch.*"}')
        time.sleep(1)


def value(watcher: Prometheus, expression: str) -> float | None:
    series = watcher.query(expression)
    return float(series[0]["value"][1]) if series else None


def by(watcher: Prometheus, label: str, expression: str) -> dict[str, float]:
    return {
        series["metric"].get(label, ""): float(series["value"][1])
        for series in watcher.query(expression)
    }


def panels() -> list[Any]:
    dashboard = json.loads(DASHBOARD.read_text())
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def dashboard_queries() -> list[str]:
    return [
        target["expr"].replace("$__rate_interval", "2m")
        for panel in panels()
        for target in panel["targets"]
    ]


def alert_rules() -> list[Any]:
    return [
        rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]
    ]


def names(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:ray|simsearch)_\w+", expression))


def of_gpus(expression: str) -> bool:
    """Whether only nodes with a GPU have these metrics, by the names in Ray's own table."""
    used = {name.removeprefix("ray_") for name in names(expression)}
    return any("gpu" in name or "gram" in name for name in used) and used <= set(METRICS_GAUGES)


def test_what_the_run_did_is_what_its_metrics_say(run: WatchedRun) -> None:
    watcher = run.prometheus
    images = latest_snapshot(run.storage).images().num_rows
    assert images == GOOD * 6
    written = dict.fromkeys(SPACES, float(images))
    # A process that ends does not report the metrics of its last seconds.
    computed = by(watcher, "space", "sum by (space) (ray_simsearch_vectors_total)")
    assert set(computed) == set(SPACES)
    assert all(0 < count <= images for count in computed.values())
    assert by(watcher, "space", "sum by (space) (ray_simsearch_vectors_written_total)") == written
    assert value(watcher, "sum(ray_simsearch_images_total)") == images
    assert value(watcher, "sum(ray_simsearch_artworks_total)") == GOOD
    assert by(watcher, "stage", "sum by (stage) (ray_simsearch_rejects_total)") == {"decode": 1.0}
    assert by(watcher, "direction", "sum by (direction) (ray_simsearch_bytes_total)") == {
        "read": run.picture_bytes,
        "written": images * sum(SPACES.values()) * 4,
    }
    nodes = by(watcher, "NodeAddress", "sum by (NodeAddress) (ray_simsearch_vectors_written_total)")
    assert list(nodes.values()) == [images * len(SPACES)]  # one node, by one of its addresses
    stalls = value(watcher, "sum(ray_simsearch_stalls_total)")
    assert stalls is not None
    assert 0 < stalls <= run.output.count("nothing moved for")


def test_what_was_left_goes_down_to_nothing(run: WatchedRun) -> None:
    left = 'ray_simsearch_queue{step="extract"}[10m]'
    most = value(run.prometheus, f"max(max_over_time({left}))")
    assert most is not None
    assert 0 < most <= (GOOD + 1) * 6 * len(SPACES)
    assert value(run.prometheus, f"max(last_over_time({left}))") == 0


@pytest.mark.parametrize("expression", dashboard_queries())
def test_each_query_of_the_dashboard_has_an_answer(run: WatchedRun, expression: str) -> None:
    if not of_gpus(expression):
        assert run.prometheus.history(expression), f"no data: {expression}"


def test_alerts_ask_for_names_that_a_run_exports(run: WatchedRun) -> None:
    for rule in alert_rules():
        for name in names(rule["expr"]):
            assert run.prometheus.history(name), f"{rule['alert']}: nothing exports {name}"


def test_prometheus_evaluates_every_alert_and_only_the_rejects_are_told(run: WatchedRun) -> None:
    rules = run.prometheus.rules()
    assert [rule["name"] for rule in rules] == [rule["alert"] for rule in alert_rules()]
    assert {rule["health"] for rule in rules} == {"ok"}
    active = {rule["name"] for rule in rules if rule["state"] != "inactive"}
    assert active - {"SimsearchNodeMemory", "SimsearchNodeDisk"} == {"SimsearchManyRejects"}


def test_a_node_answers_its_probes_without_a_token(run: WatchedRun) -> None:
    """At the path that the manifests name, on the agent's port."""
    for name, template in pods(rendered("gpu")):
        for container in template["spec"]["containers"]:
            for probe in ("livenessProbe", "readinessProbe"):
                if name != "submitter":
                    action = container[probe]["httpGet"]
                    assert action["port"] == 52365
                    answer = httpx.get(f"{run.cluster.agent}{action['path']}", timeout=20)
                    assert answer.status_code == 200, answer.text

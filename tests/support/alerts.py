"""A file of alerts played through by promtool."""

from __future__ import annotations

import subprocess
from collections.abc import Collection, Mapping
from pathlib import Path

import yaml

from tests.support.prometheus import program


def play_alerts(
    rules: Path, series: Mapping[str, str], minute: int, expected: Collection[str], folder: Path
) -> None:
    """Assert which alerts fire at a minute; `series` are over minutes, in promtool's notation."""
    names = [
        rule["alert"]
        for group in yaml.safe_load(rules.read_text())["groups"]
        for rule in group["rules"]
    ]
    # What promtool is asked: this many alerts of that name, whatever they say.
    queries = [
        {
            "expr": f'count(ALERTS{{alertname="{name}", alertstate="firing"}}) or vector(0)',
            "eval_time": f"{minute}m",
            "exp_samples": [{"labels": "{}", "value": int(name in expected)}],
        }
        for name in names
    ]
    test = {
        "rule_files": [str(rules)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {"series": name, "values": values} for name, values in series.items()
                ],
                "promql_expr_test": queries,
            }
        ],
    }
    (folder / "test.yaml").write_text(yaml.safe_dump(test))
    done = subprocess.run(
        [program("promtool"), "test", "rules", str(folder / "test.yaml")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

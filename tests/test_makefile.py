"""`make` and `.ci/run`: which Pythons they take, and into which environments."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
VERSIONS = ("3.11", "3.12", "3.13")
PROGRAMS = ("c++", "radosgw", "ceph-mon", "ceph-osd", "ceph", "chromium", "promtool")


def stand_in(file: Path, script: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def python(file: Path, version: str, code: int = 0) -> None:
    """An interpreter that says its version, and fails with `code` where that is not 0."""
    stand_in(
        file, f'[ {code} = 0 ] || exit {code}\ncase "$2" in *version_info*) echo {version};; esac'
    )


def only(
    folder: Path, there: Mapping[str, int], managed: Mapping[str, str] | None = None
) -> dict[str, str]:
    """An environment with the interpreters in `there`, by the code that they exit with, in front of the
    machine's own, and those of pyenv in `managed`, by release."""
    for version in VERSIONS:
        python(folder / "bin" / f"python{version}", version, there.get(version, 127))
    for release, version in (managed or {}).items():
        python(folder / "pyenv" / "versions" / release / "bin" / f"python{version}", version)
    environment = {
        **os.environ,
        "PATH": f"{folder}/bin:{os.environ['PATH']}",
        "PYENV_ROOT": f"{folder}/pyenv",
    }
    for name in ("PYTHON", "MAKEFLAGS", "MAKELEVEL"):
        environment.pop(name, None)
    return environment


@pytest.mark.parametrize(
    ("there", "managed", "taken"),
    [
        ({"3.11": 0, "3.12": 0, "3.13": 0}, {}, "python3.13"),
        ({"3.11": 0, "3.12": 0, "3.13": 127}, {}, "python3.12"),  # a shim that fails
        ({"3.11": 0}, {}, "python3.11"),
        ({}, {}, "python3"),
        ({"3.11": 0}, {"3.12.9": "3.12"}, "{}/pyenv/versions/3.12.9/bin/python3.12"),
        ({"3.12": 0}, {"3.11.7": "3.11"}, "python3.12"),
        ({}, {"3.13.2": "3.13", "3.13.10": "3.13"}, "{}/pyenv/versions/3.13.10/bin/python3.13"),
        ({"3.11": 0}, {"3.13.0t": "3.13", "3.13.0-x": "3.13"}, "python3.11"),  # other builds
    ],
)
def test_the_newest_python_that_runs_is_taken(
    tmp_path: Path, there: dict[str, int], managed: dict[str, str], taken: str
) -> None:
    asked = ["make", "--silent", "--eval", "which: ; @echo $(PYTHON)", "which"]
    answer = subprocess.run(
        asked,
        cwd=REPOSITORY,
        env=only(tmp_path, there, managed),
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == taken.format(tmp_path)


def ci(folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """`.ci/run` in a folder without environments; `make` prints its words, and writes them into `made`."""
    for name in PROGRAMS:
        stand_in(folder / "bin" / name, "exit 0")
    stand_in(folder / "bin" / "make", f'echo make "$@" | tee -a {folder}/made')
    for name in ("run", "find-python"):
        copy = folder / "clone" / ".ci" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((REPOSITORY / ".ci" / name).read_bytes())
        copy.chmod(0o755)
    return subprocess.run(
        [folder / "clone" / ".ci" / "run"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def made(answer: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in answer.stdout.splitlines() if line.startswith("make ")]


def test_ci_tests_with_the_newest_python_and_checks_with_every_other(tmp_path: Path) -> None:
    environment = only(tmp_path, {"3.11": 0}, {"3.12.1": "3.12", "3.13.0": "3.13"})
    answer = ci(tmp_path, environment)
    managed = f"{tmp_path}/pyenv/versions"
    assert answer.returncode == 0, answer.stderr
    assert made(answer) == [
        f"make setup PYTHON={managed}/3.13.0/bin/python3.13",
        f"make test PYTHON={managed}/3.13.0/bin/python3.13",
        f"make check PYTHON={managed}/3.12.1/bin/python3.12 VENV=.venv-3.12",
        "make check PYTHON=python3.11 VENV=.venv-3.11",
    ]
    assert "not found" not in answer.stdout
    words = (tmp_path / "made").read_text().splitlines()
    meanwhile = [  # beside `make test`, one after the other
        f"make setup PYTHON={managed}/3.12.1/bin/python3.12 VENV=.venv-3.12",
        "make setup PYTHON=python3.11 VENV=.venv-3.11",
    ]
    assert [line for line in words if line in meanwhile] == meanwhile
    assert sorted(words) == sorted(made(answer) + meanwhile)
    assert words.index(made(answer)[0]) == 0
    assert max(words.index(line) for line in meanwhile) < words.index(made(answer)[2])


def test_ci_names_the_pythons_that_it_did_not_find(tmp_path: Path) -> None:
    answer = ci(tmp_path, only(tmp_path, {"3.12": 0}))
    assert answer.returncode == 0, answer.stderr
    assert made(answer) == ["make setup PYTHON=python3.12", "make test PYTHON=python3.12"]
    assert answer.stdout.splitlines()[-2:] == [
        "Python 3.13: not found, so nothing was checked with it",
        "Python 3.11: not found, so nothing was checked with it",
    ]


def test_ci_tests_with_the_python_of_the_environment_that_is_there(tmp_path: Path) -> None:
    environment = only(tmp_path, {"3.11": 0, "3.13": 0})
    python(tmp_path / "clone" / ".venv" / "bin" / "python", "3.11")
    assert made(ci(tmp_path, environment)) == [
        "make setup PYTHON=python3.11",
        "make test PYTHON=python3.11",
        "make check PYTHON=python3.13 VENV=.venv-3.13",
    ]


def test_ci_without_any_python_says_so(tmp_path: Path) -> None:
    answer = ci(tmp_path, only(tmp_path, {}))
    assert answer.returncode == 2
    assert "no Python 3.11 to 3.13 that runs" in answer.stderr
    assert made(answer) == []


def test_a_failed_check_fails_ci(tmp_path: Path) -> None:
    environment = only(tmp_path, {"3.11": 0, "3.13": 0})
    ci(tmp_path, environment)
    stand_in(tmp_path / "bin" / "make", '[ "$1" != check ]')
    answer = subprocess.run([tmp_path / "clone" / ".ci" / "run"], env=environment, check=False)
    assert answer.returncode == 1


def test_an_environment_that_cannot_be_made_beside_the_tests_is_made_again(tmp_path: Path) -> None:
    environment = only(tmp_path, {"3.11": 0, "3.13": 0})
    ci(tmp_path, environment)
    fails = 'case "$*" in setup*VENV=*) exit 2;; esac; echo make "$@"'
    stand_in(tmp_path / "bin" / "make", fails)
    run = [tmp_path / "clone" / ".ci" / "run"]
    answer = subprocess.run(run, env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert made(answer)[-1] == "make check PYTHON=python3.11 VENV=.venv-3.11"


def test_a_failed_test_fails_ci_and_leaves_nothing_running(tmp_path: Path) -> None:
    environment = only(tmp_path, {"3.11": 0, "3.13": 0})
    ci(tmp_path, environment)
    waits = f'case "$*" in setup*VENV=*) echo $$ >{tmp_path}/id; exec sleep 600;; esac'
    fails = f'[ "$1" != test ] || {{ until [ -s {tmp_path}/id ]; do sleep 0.02; done; exit 1; }}'
    stand_in(tmp_path / "bin" / "make", f"{waits}\n{fails}")
    run = [tmp_path / "clone" / ".ci" / "run"]
    answer = subprocess.run(run, env=environment, capture_output=True, timeout=60, check=False)
    assert answer.returncode == 1
    running = Path(f"/proc/{(tmp_path / 'id').read_text().strip()}/stat")
    deadline = time.monotonic() + 10
    while running.exists() and running.read_text().split()[2] != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_an_environment_of_another_python_is_refused(tmp_path: Path) -> None:
    environment = only(tmp_path, {"3.12": 0, "3.13": 0})
    folder = tmp_path / "environment"
    python(folder / "bin" / "python", "3.13")
    for up_to_date in ("ready", "sscd"):
        (folder / up_to_date).touch()
    command = ["make", "--silent", "--old-file=.uv/bin/uv", f"--old-file={folder}/ready", "setup"]
    command.append(f"VENV={folder}")
    answers = {
        version: subprocess.run(
            [*command, f"PYTHON=python{version}"],
            cwd=REPOSITORY,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        for version in ("3.12", "3.13")
    }
    assert answers["3.13"].returncode == 0, answers["3.13"].stderr
    assert answers["3.12"].returncode != 0
    assert f"{folder} has Python 3.13, not that of python3.12" in answers["3.12"].stderr

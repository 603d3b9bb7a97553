"""The licences of what is installed, from the metadata of the installed packages that a lock names."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

OWN = "simsearch"
PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
COPYLEFT = re.compile(r"(?<![A-Z])[AL]?GPL|General Public License")
PROPRIETARY = re.compile(r"proprietary|nvidia", re.IGNORECASE)
UNSTATED = "see the package's files"
LONGEST = 60  # characters of a licence field that is a name; longer ones are a licence's whole text


def page(lock: Path) -> str:
    """The page of licences: every installed package of the lock, and which extra brings it."""
    names = installed(lock)
    brought = {extra: closure(frozenset([extra])) for extra in _extras()}
    base = closure(frozenset())
    lines = [
        *_introduction(names),
        "",
        "| package | version | licence | brought by |",
        "|---|---|---|---|",
    ]
    for name in names:
        extras = [extra for extra, members in brought.items() if name in members]
        lines.append(_row(name, "every install" if name in base else ", ".join(extras)))
    return "\n".join(lines) + "\n"


def _extras() -> list[str]:
    """simsearch's extras, without the one that is all of them."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    return sorted(extra for extra in project["optional-dependencies"] if extra != "all")


def _introduction(names: list[str]) -> Iterator[str]:
    proprietary = [name for name in names if PROPRIETARY.search(licence(distribution(name)))]
    copyleft = [name for name in names if COPYLEFT.search(licence(distribution(name)))]
    yield "# Licences"
    yield ""
    yield "simsearch is under the MIT licence. Below is what the lock installs beside simsearch, as each "
    yield "package states its own licence. The weights of networks have terms of their own: `simsearch "
    yield "encoders` lists them."
    yield ""
    yield f"**Proprietary:** {_listed(proprietary)}. They are CUDA's libraries and come with the build of PyTorch "
    yield "that the package index has; [the CPU build of PyTorch](../start.md#without-a-gpu) needs none."
    yield ""
    yield f"**GNU GPL or LGPL:** {_listed(copyleft)}. The package of OpenCV also carries FFmpeg's libraries, under "
    yield "the LGPL 2.1: OpenCV reads videos with them, simsearch never calls them."


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


def _row(name: str, brought_by: str) -> str:
    metadata = distribution(name)
    terms = licence(metadata).replace("|", "/")
    return f"| {name} | {metadata.version} | {terms} | {brought_by or 'another system or Python'} |"


def installed(lock: Path) -> list[str]:
    """The lock's packages that are installed here; some are for other systems or Pythons only."""
    pins = re.findall(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==", lock.read_text(), re.MULTILINE)
    return [name for name in dict.fromkeys(pins) if _installed(name) is not None]


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def licence(package: Distribution) -> str:
    """The licence that a package states: its expression, else its classifiers, else its short name."""
    for expression in _field(package, "License-Expression"):
        return expression
    classifiers = [
        classifier.split(" :: ")[-1]
        for classifier in _field(package, "Classifier")
        if classifier.startswith("License ::") and not classifier.endswith("OSI Approved")
    ]
    if classifiers:
        return ", ".join(dict.fromkeys(classifiers))
    text = "".join(_field(package, "License")).strip()
    first_line = text.splitlines()[0] if text and text != "UNKNOWN" else ""
    return first_line if 0 < len(first_line) <= LONGEST else UNSTATED


def _field(package: Distribution, name: str) -> list[str]:
    return [str(value) for value in package.metadata.get_all(name) or []]


def closure(extras: frozenset[str]) -> set[str]:
    """Canonical names of all that an install of simsearch with these extras brings, here."""
    brought: set[str] = set()
    waiting = [(OWN, extras)]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, wanted = waiting.pop()
        if (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        brought.add(name)
        for requirement in _requirements(name, wanted):
            waiting.append((canonicalize_name(requirement.name), frozenset(requirement.extras)))
    return {name for name in brought if _installed(name) is not None} - {OWN}


def _requirements(name: str, extras: frozenset[str]) -> Iterator[Requirement]:
    """What a package needs here. simsearch's own are read from pyproject.toml: an environment may have
    been made before they changed."""
    if name == OWN:
        project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
        texts = [*project["dependencies"]]
        for extra in extras:
            texts += project["optional-dependencies"][extra]
    else:
        package = _installed(name)
        texts = [] if package is None else package.requires or []
    environments = [{"extra": extra} for extra in (*extras, "")]
    for requirement in map(Requirement, texts):
        marker = requirement.marker
        if marker is None or any(map(marker.evaluate, environments)):
            yield requirement

"""The licences of what is installed, from the metadata of the installed packages that a lock names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

OWN = "simsearch"
COPYLEFT = re.compile(r"(?<![A-Z])A?GPL")
PROPRIETARY = re.compile(r"proprietary|nvidia", re.IGNORECASE)
UNSTATED = "see the package's files"
LONGEST = 60  # characters of a licence field that is a name; longer ones are a licence's whole text


def page(lock: Path) -> str:
    """The page of licences: what a plain install brings, then what only an extra brings."""
    names = installed(lock)
    base = closure(frozenset())
    sections = [
        ("Installed by default", [name for name in names if name in base]),
        ("Installed by an extra", [name for name in names if name not in base]),
    ]
    lines = [*_introduction(names)]
    for title, members in sections:
        lines += ["", f"## {title}", "", "| package | version | licence |", "|---|---|---|"]
        lines += [_row(name) for name in members]
    return "\n".join(lines) + "\n"


def _introduction(names: list[str]) -> Iterator[str]:
    proprietary = [name for name in names if PROPRIETARY.search(licence(distribution(name)))]
    copyleft = [name for name in names if COPYLEFT.search(licence(distribution(name)))]
    yield "# Licences"
    yield ""
    yield "simsearch is under the MIT licence. Below is what the lock installs beside simsearch, as each "
    yield "package states its own licence. The weights of networks have terms of their own: `simsearch "
    yield "encoders` lists them."
    yield ""
    yield f"**Proprietary:** {_listed(proprietary)}. The CUDA libraries come with the build of PyTorch "
    yield "that the package index has; [the CPU build of PyTorch](../start.md#without-a-gpu) needs none."
    yield ""
    yield f"**GNU GPL or LGPL:** {_listed(copyleft)}."


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


def _row(name: str) -> str:
    metadata = distribution(name)
    return f"| {name} | {metadata.version} | {licence(metadata).replace('|', '/')} |"


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
    fields = package.metadata
    if expression := fields.get("License-Expression"):
        return str(expression)
    classifiers = [
        str(classifier).split(" :: ")[-1]
        for classifier in fields.get_all("Classifier") or []
        if classifier.startswith("License ::") and not classifier.endswith("OSI Approved")
    ]
    if classifiers:
        return ", ".join(dict.fromkeys(classifiers))
    text = str(fields.get("License") or "").strip()
    first_line = text.splitlines()[0] if text and text != "UNKNOWN" else ""
    return first_line if 0 < len(first_line) <= LONGEST else UNSTATED


def closure(extras: frozenset[str]) -> set[str]:
    """Canonical names of all that an install of simsearch with these extras brings, here."""
    brought: set[str] = set()
    waiting = [(OWN, extras)]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, wanted = waiting.pop()
        package = _installed(name)
        if package is None or (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        brought.add(canonicalize_name(name))
        for text in package.requires or []:
            requirement = Requirement(text)
            environments = [{"extra": extra} for extra in (*wanted, "")]
            if requirement.marker is None or any(map(requirement.marker.evaluate, environments)):
                waiting.append((requirement.name, frozenset(requirement.extras)))
    return brought - {OWN}

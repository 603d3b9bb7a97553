"""The installation of a process: Python, the packages that decide a figure, simsearch's own code.

This module imports only the standard library: `simsearch.runtime.node_check` sends its functions to nodes
that may have another simsearch, or none.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import platform
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution

CODE = "simsearch's code"
ABSENT = "not installed"
MOST_NAMED = 4  # the nodes in a message, and the differences of each

# Packages that decide a file's pixels, a picture's vector, or the results from vectors. Wheels contain
# their decoders (libjpeg, libwebp, libheif, …), so that a build identifies those too.
PACKAGES = (
    "annoy",
    "efficientnet-lite-pytorch",
    "imagecodecs",
    "numpy",
    "onnxruntime",
    "onnxruntime-gpu",
    "open-clip-torch",
    "opencv-python",
    "opencv-python-headless",
    "pillow",
    "pillow-heif",
    "pyarrow",
    "ray",
    "scikit-learn",
    "scipy",
    "tifffile",
    "timm",
    "torch",
    "torchvision",
    "umap-learn",
)


def describe_installation() -> dict[str, str]:
    """This installation, by name: Python's version, a version and a build of each package (or ABSENT), and a
    digest of simsearch's code."""
    return {
        "Python": platform.python_version(),
        CODE: _describe_code(),
        **{name: _describe_package(name) for name in PACKAGES},
    }


@cache
def describe_own_installation() -> dict[str, str]:
    """This process's installation, described once."""
    return describe_installation()


def digest_of(installation: Mapping[str, str]) -> str:
    """A short name of an installation. Equal installations have the same name."""
    return hashlib.sha256(json.dumps(dict(installation), sort_keys=True).encode()).hexdigest()[:16]


def describe_differences(there: Mapping[str, str], here: Mapping[str, str]) -> str:
    """The differences between the installation `there` and the driver's, `here`, in words:
    `pillow 12.0.0 build 1a2b3c4d (the driver has 13.0.0 build 5e6f7a8b)`. Empty without differences."""
    unlike = [
        f"{name} {there.get(name, ABSENT)} (the driver has {value})"
        for name, value in here.items()
        if there.get(name, ABSENT) != value
    ]
    more = f" and {len(unlike) - MOST_NAMED} more" if len(unlike) > MOST_NAMED else ""
    return ", ".join(unlike[:MOST_NAMED]) + more


def _describe_code() -> str:
    spec = importlib.util.find_spec("simsearch")
    if spec is None or spec.origin is None:
        return ABSENT
    folder = os.path.dirname(spec.origin)  # noqa: PTH120 - pathlib takes five times as long
    digest = hashlib.sha256()
    for path in sorted(_python_files(folder)):
        with open(path, "rb") as file:  # noqa: PTH123
            code = file.read()
        digest.update(f"{path[len(folder) :]} {len(code)}\n".encode() + code)
    return digest.hexdigest()[:8]


def _python_files(folder: str) -> Iterator[str]:
    for parent, _, names in os.walk(folder):
        for name in names:
            if name.endswith(".py"):
                yield f"{parent}/{name}"


def _describe_package(name: str) -> str:
    try:
        package = distribution(name)
    except PackageNotFoundError:
        return ABSENT
    metadata = package.read_text("METADATA") or ""  # parsed whole, PyTorch's takes 30 ms
    version = re.search(r"^Version: *(\S+)", metadata, re.MULTILINE)
    return f"{version[1] if version else package.version} build {_build(package)}"


def _build(package: Distribution) -> str:
    """A digest of the package's modules by their hashes. Files that an installer adds (scripts, compiled
    Python, its notes) are left out, so that two installations of a wheel are equal."""
    listed = (package.read_text("RECORD") or "").splitlines()
    modules = sorted(
        line for line in listed if (".py," in line or ".so" in line) and line[0] != "."
    )
    return hashlib.sha256("\n".join(modules).encode()).hexdigest()[:8]

"""The machine and the versions on which a figure depends, beside data and settings."""

from __future__ import annotations

import platform
from importlib.metadata import version

PACKAGES = ("torch", "torchvision", "ray", "annoy", "pyarrow", "pillow", "numpy")


def environment() -> dict[str, str]:
    """The machine and the versions on which a figure depends, by name."""
    return {
        "simsearch": version("simsearch"),
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {platform.system()}",
        **{name: version(name) for name in PACKAGES},
    }

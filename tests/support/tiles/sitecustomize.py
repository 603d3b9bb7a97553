"""Every Python process that has this folder in PYTHONPATH takes its CPU for one with matrix tiles:

    PYTHONPATH=tests/support/tiles python -m pytest

Python imports a module of this name when it starts, in child processes and Ray's workers too.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType


class WithTiles(importlib.abc.MetaPathFinder):
    """Finds `torch.cpu` as others do, and replaces its report of capabilities once it is loaded."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != "torch.cpu":
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        assert spec is not None
        assert spec.loader is not None
        execute = spec.loader.exec_module

        def with_tiles(module: ModuleType) -> None:
            execute(module)
            capabilities = module.get_capabilities
            module.get_capabilities = lambda: {**capabilities(), "amx_bf16": True}  # type: ignore[attr-defined]

        spec.loader.exec_module = with_tiles  # type: ignore[method-assign]
        return spec


sys.meta_path.insert(0, WithTiles())

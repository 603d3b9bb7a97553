"""What every command shares: a settings file and `key=value` words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from simsearch.config import Config, load_config

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[CONFIG.yaml] [key=value]...",
        help="a settings file, then settings that go over it, such as extract.batch_size=64",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON, for machines")]


def config_of(
    words: Sequence[str] | None, options: Mapping[str, object | None] | None = None
) -> Config:
    """The settings that a command's words name and, over them, those that its options stand for,
    None: not given. Raises ConfigError."""
    given = list(words or ())
    path = given.pop(0) if given and "=" not in given[0] else None
    given += [f"{name}={value}" for name, value in (options or {}).items() if value is not None]
    return load_config(path, given)

"""What every command shares: a settings file and `key=value` words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from simsearch.settings.config import Config, load_config

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[CONFIG.yaml] [key=value]...",
        help="a settings file, then settings that go over it, such as extract.batch_size=64",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON, for machines")]


Retry = Annotated[
    bool | None,
    typer.Option("--retry-rejects", help="try images again that an earlier run rejected"),
]
Sample = Annotated[
    int | None,
    typer.Option(help="keep a random sample of so many artworks; the same as catalog.sample=…"),
]
Seed = Annotated[
    int | None, typer.Option(help="of every random choice, so for all steps; the same as seed=…")
]


def config_of(
    words: Sequence[str] | None, options: Mapping[str, object | None] | None = None
) -> Config:
    """The settings that a command's words name and, over them, those that its options stand for,
    None: not given. Raises ConfigError."""
    given_words = list(words or ())
    path = given_words.pop(0) if given_words and "=" not in given_words[0] else None
    given_words += [
        f"{name}={value}" for name, value in (options or {}).items() if value is not None
    ]
    return load_config(path, given_words)

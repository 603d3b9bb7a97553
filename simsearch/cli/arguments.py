"""Arguments that all commands share: a settings file and `key=value` words."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from simsearch.errors import UsageError
from simsearch.settings.config import Config, config_of_values, load_config


def completions(incomplete: str) -> list[str]:
    """Completions of a word in a shell: files, and settings with their `=`."""
    from simsearch.settings.shown import setting_names

    settings = [f"{name}=" for name in setting_names() if name.startswith(incomplete)]
    folder, slash, beginning = incomplete.rpartition("/")
    try:
        names = [path.name for path in Path(f"{folder}{slash}" or ".").iterdir()]
    except OSError:
        names = []
    files = [f"{folder}{slash}{name}" for name in names if name.startswith(beginning)]
    return [*sorted(files), *settings]


Words = Annotated[
    list[str] | None,
    typer.Argument(
        autocompletion=completions,
        metavar="[CONFIG.yaml] [key=value]...",
        help="a settings file, then settings that go over it, such as extract.batch_size=64",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON, for machines")]


RootWords = Annotated[
    list[str] | None,
    typer.Argument(
        autocompletion=completions,
        metavar="[ROOT | CONFIG.yaml] [key=value]...",
        help="the root to read or a settings file, then settings that go over it",
    ),
]

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
    """The settings that a command's words name. `options` that are not None override them. Raises
    ConfigError."""
    place, overrides = split_words(words)
    return load_config(place, [*overrides, *to_words(options)])


def root_config_of(words: Sequence[str] | None) -> Config:
    """The settings for a command that reads a root. Its first word may be the root itself. Raises
    ConfigError."""
    place, overrides = split_words(words)
    if place is None or is_settings_file(place):
        return load_config(place, overrides)
    return config_of_values({"root": place}, overrides)


def split_words(words: Sequence[str] | None) -> tuple[str | None, list[str]]:
    """The first word if it is a place (None: it is a setting), and the other words. Raises UsageError for an
    empty word, which an unset variable of a shell leaves."""
    given = list(words or ())
    if "" in given:
        raise UsageError("an empty word among the arguments; is a variable of the shell not set?")
    if given and not is_setting(given[0]):
        return given[0], given[1:]
    return None, given


def to_words(options: Mapping[str, object | None] | None) -> list[str]:
    """The options that are not None, as `key=value` words."""
    return [f"{name}={value}" for name, value in (options or {}).items() if value is not None]


def is_settings_file(word: str) -> bool:
    return word.lower().endswith((".yaml", ".yml"))


def is_setting(word: str) -> bool:
    """Whether a word is a setting, key=value. A path may contain `=` too, as `/data/year=1885`. An existing
    relative path counts as a path unless it begins as a setting does."""
    key, equals, _ = word.partition("=")
    section, dot, _ = key.partition(".")
    if not equals or key.startswith((".", "/", "~")):
        return False
    if section not in Config.model_fields and os.path.exists(word):  # noqa: PTH110  (never raises)
        return False
    return "/" not in key or (bool(dot) and section in Config.model_fields)

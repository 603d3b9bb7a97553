"""The settings as a person reads them: YAML with the description of each setting above it."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from pydantic import BaseModel

from simsearch.settings.config import Config
from simsearch.settings.sections.extraction import SpaceConfig

COMMON = frozenset(
    {
        "root", "seed",
        "storage.endpoint_url", "storage.region",
        "catalog.reader", "catalog.source", "catalog.images", "catalog.columns", "catalog.sample",
        "catalog.download.enabled", "catalog.download.contact",
        "perturbations.suite", "perturbations.originals",
        "extract.spaces", "extract.weights", "extract.batch_size", "extract.device",
        "extract.max_actors", "extract.max_reject_share",
        "geometry.enabled",
        "evaluate.ks", "evaluate.neighbours",
        "projection.methods",
        "explore.host", "explore.port", "explore.hosts",
        "ray.address", "ray.cpus",
        "publish.max_catalog_shrink", "publish.max_recovery_drop",
        "monitoring.prometheus_textfile", "monitoring.pushgateway", "monitoring.on_failure",
    }
)  # fmt: skip
"""The settings that people set. The others have defaults that suit almost everybody."""

WIDTH = 96  # columns of a comment


def settings_text(config: Config, *, everything: bool = False) -> str:
    """The settings as YAML that `load_config` reads back to an equal Config.

    The text has the COMMON settings and those that differ from their defaults, or `everything`.
    """
    return "\n".join(_section(config, "", 0, everything)) + "\n"


def setting_names(section: type[BaseModel] = Config, path: str = "") -> list[str]:
    """The names of all settings as they are written on a command line, such as `extract.batch_size`."""
    names = []
    for name, field in section.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            names += setting_names(kind, f"{path}{name}.")
        else:
            names.append(f"{path}{name}")
    return names


def _section(section: BaseModel, path: str, depth: int, everything: bool) -> Iterator[str]:
    spelled, defaults = _spell_values(section), type(section)()
    for name, field in type(section).model_fields.items():
        if name not in spelled:
            continue
        value, place = getattr(section, name), f"{path}{name}"
        if isinstance(value, BaseModel):
            inner = list(_section(value, f"{place}.", depth + 1, everything))
            yield from _nest(name, type(value).__doc__, inner, depth)
        elif _is_group(value):
            usual = {} if everything else getattr(defaults, name)
            inner = list(_group(value, usual, f"{place}.", depth + 1, everything))
            yield from _nest(name, field.description, inner, depth)
        elif everything or name == "kind" or place in COMMON or value != getattr(defaults, name):
            yield from _comment(field.description, depth)
            yield f"{_indent(depth)}{name}: {_write_value(spelled[name])}"


def _is_group(value: Any) -> bool:
    """Whether a setting holds sections by their names, as `heads` does."""
    return isinstance(value, dict) and any(isinstance(part, BaseModel) for part in value.values())


def _group(
    sections: Mapping[str, BaseModel],
    usual: Mapping[str, BaseModel],
    path: str,
    depth: int,
    everything: bool,
) -> Iterator[str]:
    """The sections that are not among the `usual` ones."""
    for name, section in sections.items():
        if usual.get(name) != section:
            yield f"{_indent(depth)}{_write_value(name)}:"
            yield from _section(section, f"{path}{name}.", depth + 1, everything)


def _nest(name: str, words: str | None, inner: list[str], depth: int) -> Iterator[str]:
    if not inner:
        return
    yield from [""] if depth == 0 else []
    yield from _comment((words or "").partition(".\n")[0].partition(". ")[0].rstrip("."), depth)
    yield f"{_indent(depth)}{name}:"
    yield from inner


def _spell_values(section: BaseModel) -> dict[str, Any]:
    """The section's values as JSON. Of two settings that say the same, one is left out."""
    values = section.model_dump(mode="json")
    if "backbones" in values:
        del values["backbones"]
        values["spaces"] = [_space(space) for space in values["spaces"]]
    if values.get("suite") is not None:
        del values["profiles"]
    return values


def _space(space: dict[str, Any]) -> str | dict[str, Any]:
    """A space without the settings that it does not need. If its backbone is all, the backbone's name."""
    default = SpaceConfig(**{**space, "name": ""}).name
    needed = {
        key: value
        for key, value in space.items()
        if value is not None and (key, value) != ("name", default)
    }
    return str(space["backbone"]) if set(needed) == {"backbone"} else needed


def _comment(words: str | None, depth: int) -> Iterator[str]:
    text = " ".join((words or "").split())
    for line in textwrap.wrap(text, WIDTH - 2 * depth, break_long_words=False):
        yield f"{_indent(depth)}# {line}"


def _indent(depth: int) -> str:
    return "  " * depth


def _write_value(value: Any) -> str:
    """A value in YAML's flow style, on one line."""
    text = _dump(value, allow_unicode=True)
    return text if text.isprintable() else _dump(value, allow_unicode=False)


class _Dumper(yaml.SafeDumper):
    """Writes infinity as `inf`: settings read YAML's `.inf` as text."""


def _represent_number(dumper: yaml.SafeDumper, value: float) -> yaml.ScalarNode:
    if math.isinf(value):
        return dumper.represent_str(str(value))
    return dumper.represent_float(value)


_Dumper.add_representer(float, _represent_number)


def _dump(value: Any, *, allow_unicode: bool) -> str:
    text: str = yaml.dump(
        value,
        Dumper=_Dumper,
        default_flow_style=True,
        width=10**6,
        sort_keys=False,
        allow_unicode=allow_unicode,
    )
    return text.removesuffix("...\n").strip()

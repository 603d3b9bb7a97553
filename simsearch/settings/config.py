"""Every setting, typed and checked once, at the edge.

A YAML file holds the settings that differ from the defaults. `key=value` words on the command line
override the file.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Self, get_args, get_origin

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator

from simsearch.errors import ConfigError
from simsearch.images.limits import Limits
from simsearch.images.remake import Remake
from simsearch.settings.secrets import without_secrets
from simsearch.settings.sections.analysis import (
    EvaluateConfig,
    GeometryConfig,
    IndexConfig,
    ProjectionConfig,
    ReportConfig,
)
from simsearch.settings.sections.collection import CatalogConfig, ImagesConfig, PerturbationsConfig
from simsearch.settings.sections.extraction import SPACE_NAME, ExtractConfig
from simsearch.settings.sections.operation import (
    ExploreConfig,
    LeaseConfig,
    MonitoringConfig,
    PublishConfig,
    RayConfig,
    StorageConfig,
)
from simsearch.settings.sections.section import Section
from simsearch.settings.sections.training import (
    AutoencoderConfig,
    ContrastiveConfig,
    DenoisingConfig,
    TrainConfig,
    WhiteningConfig,
)
from simsearch.settings.sections.yaml_text import read_document, read_value

CONFIG_VERSION: Literal[1] = 1

HeadConfig = Annotated[
    WhiteningConfig | ContrastiveConfig | DenoisingConfig, Field(discriminator="kind")
]

HEADS: dict[str, Any] = {kind: {"kind": kind} for kind in ("whitening", "contrastive", "denoising")}

AUTOENCODERS: dict[str, Any] = {
    "autoencoder": {"kind": "autoencoder"},
    "variational": {"kind": "variational"},
    "denoising-autoencoder": {"kind": "denoising"},
}


class Config(Section):
    """All settings of a run."""

    version: Literal[1] = Field(CONFIG_VERSION, description="of the form of the settings file")
    root: str = Field("simsearch-data", description="URI under which everything is kept")
    seed: int = Field(71, ge=0, lt=2**31, description="every random choice derives from it")
    storage: StorageConfig = StorageConfig()
    catalog: CatalogConfig = CatalogConfig()
    images: ImagesConfig = ImagesConfig()
    perturbations: PerturbationsConfig = PerturbationsConfig()
    extract: ExtractConfig = ExtractConfig()
    heads: Annotated[
        dict[Annotated[str, Field(pattern=f"^{SPACE_NAME}$")], HeadConfig],
        Field(validate_default=True),
    ] = Field(
        HEADS, description="settings of heads by name; each kind has a head with the kind's name"
    )
    autoencoders: Annotated[
        dict[Annotated[str, Field(pattern=f"^{SPACE_NAME}$")], AutoencoderConfig],
        Field(validate_default=True),
    ] = Field(
        AUTOENCODERS,
        description="settings of encoders learned from pixels, by the name that a space uses as its backbone",
    )
    train: TrainConfig = TrainConfig()
    index: IndexConfig = IndexConfig()
    geometry: GeometryConfig = GeometryConfig()
    evaluate: EvaluateConfig = EvaluateConfig()
    projection: ProjectionConfig = ProjectionConfig()
    report: ReportConfig = ReportConfig()
    explore: ExploreConfig = ExploreConfig()
    ray: RayConfig = RayConfig()
    lease: LeaseConfig = LeaseConfig()
    publish: PublishConfig = PublishConfig()
    monitoring: MonitoringConfig = MonitoringConfig()

    @model_validator(mode="before")
    @classmethod
    def _add_defaults(cls, values: Any) -> Any:
        """Add the heads and autoencoders that every run has. Settings of one of them replace its
        defaults."""
        if not isinstance(values, dict):
            return values
        merged = dict(values)
        for section, defaults in (("heads", HEADS), ("autoencoders", AUTOENCODERS)):
            if isinstance(given := values.get(section), dict):
                settings = {
                    name: {**defaults.get(name, {}), **own} if isinstance(own, dict) else own
                    for name, own in given.items()
                }
                merged[section] = {**defaults, **settings}
        return merged

    def remake(self, within: Limits | None = None) -> Remake:
        """A `Remake`, which makes images from their files as these settings say.

        `within` are the decoding limits of a program that makes a snapshot's images again (None:
        `images.limits`). Size and background decide the pixels, so they come from these settings
        always."""
        return Remake(
            limits=replace(
                within or self.images.limits,
                background=self.images.background,
                side=self.perturbations.side,
            ),
            reencode_jpeg=self.perturbations.reencode_jpeg,
            seed=self.seed,
        )

    @model_validator(mode="after")
    def _check_heads(self) -> Self:
        for space in self.extract.spaces:
            if space.head is not None and space.head not in self.heads:
                raise ValueError(
                    f"extract.spaces: {space.name} names head {space.head!r}, which is not among "
                    f"heads ({', '.join(self.heads)})"
                )
        return self


OPERATIONAL = ("storage", "explore", "ray", "lease", "publish", "monitoring")
"""Sections that decide how and where a run works, never its results."""
NOT_KEPT: dict[str, Any] = {
    **dict.fromkeys((*OPERATIONAL, "root"), True),
    "catalog": {"download": True},
}
"""The settings that a snapshot leaves out, as pydantic's `exclude`. Addresses, hosts, contacts and
passwords belong to whoever runs the job."""


def kept_settings(config: Config) -> dict[str, Any]:
    """The settings, as JSON, that decide a run's results. Plans, manifests, reports and pages may name
    these, and no others."""
    values = config.model_dump(mode="json", exclude=NOT_KEPT)
    for name in ("source", "images"):
        if values["catalog"][name] is not None:
            values["catalog"][name] = without_secrets(values["catalog"][name])
    return values


def load_config(path: str | os.PathLike[str] | None, overrides: Sequence[str] = ()) -> Config:
    """The settings of a YAML file (None: the defaults) with `key=value` overrides.

    Values are read as YAML: `extract.batch_size=64`, `evaluate.ks=[1,5]`, `catalog.sample=null`.
    Raises ConfigError naming the key and what is allowed.
    """
    values = {} if path is None else _read_yaml(Path(path))
    return config_of_values(values, overrides, "" if path is None else f"{path}: ")


def config_of_values(
    values: dict[str, Any], overrides: Sequence[str] = (), where: str = ""
) -> Config:
    """The settings of a mapping, which has a YAML file's form, with overrides as in `load_config`.

    Raises ConfigError, whose messages begin with `where`.
    """
    values = copy.deepcopy(values)
    if isinstance(overrides, str):
        raise ConfigError(f"{overrides!r}: overrides are a list; write [{overrides!r}]")
    for override in overrides:
        _apply_override(values, override)
    if (version := values.get("version", CONFIG_VERSION)) != CONFIG_VERSION:
        raise ConfigError(
            f"version: this is a version {version!r} config, simsearch reads version {CONFIG_VERSION}; "
            "compare it with `simsearch config show` and update it"
        )
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        faults = error.errors()
        # A list whose faulty entry was dropped also counts as too short: report the entry alone.
        inner = {fault["loc"][:depth] for fault in faults for depth in range(len(fault["loc"]))}
        lines = [_describe(fault) for fault in faults if fault["loc"] not in inner]
        raise ConfigError(where + "; ".join(lines)) from None


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        loaded = read_document(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the config: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        detail = " ".join(str(error).split())
        raise ConfigError(f"{path}: not valid YAML: {detail}") from None
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise ConfigError(
            f"{path}: a config is a mapping of settings, this is a {type(loaded).__name__}"
        )
    return loaded


def _apply_override(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=") if isinstance(override, str) else ("", "", "")
    if not equals or not key:
        raise ConfigError(
            f"{override!r}: an override is written key=value, such as extract.batch_size=64"
        )
    try:
        value = read_value(text) if text else None
    except yaml.YAMLError:
        raise ConfigError(f"{key}: {text!r} is not a YAML value; quote it") from None
    *parents, last = key.split(".")
    target = values
    for parent in parents:
        inner = target.get(parent)
        if inner is None:
            inner = target[parent] = {}
        if not isinstance(inner, dict):
            raise ConfigError(f"{key}: {parent} is a single value, it has no {last!r}")
        target = inner
    target[last] = value


def _describe(error: Any) -> str:
    place = error["loc"]
    if place[:1] == ("heads",):  # without the kind, which pydantic puts between name and setting
        place = (*place[:2], *place[3:])
    key = ".".join(str(part) for part in place)
    if error["type"].startswith("union_tag"):
        return f"{key}.kind: must be one of {', '.join(HEADS)}"
    if error["type"] == "extra_forbidden":
        return (
            f"{key}: no such setting; allowed here: {', '.join(_allowed_keys(error['loc'][:-1]))}"
        )
    message = str(error["msg"]).removeprefix("Value error, ")
    value = error.get("input")
    value_words = "" if isinstance(value, dict) else f" (is {value!r})"
    return f"{key}: {message}{value_words}" if key else message


def _allowed_keys(location: tuple[int | str, ...]) -> list[str]:
    """The names of the settings in the section at `location`. In a list it gives the position, in a
    union the kind."""
    section: Any = Config
    for part in location:
        if isinstance(section, type) and issubclass(section, BaseModel):
            section = section.model_fields[str(part)].annotation
        else:
            section = _member(section, part)
    return list(section.model_fields)


def _member(annotation: Any, part: int | str) -> Any:
    """The type at `part` of a tuple (a position), of a mapping (a key) or of a union (a member's
    kind)."""
    inner = get_args(annotation)
    if get_origin(annotation) is Annotated:
        return _member(inner[0], part)
    if get_origin(annotation) is UnionType:
        return next(kind for kind in inner if kind.model_fields["kind"].default == part)
    return inner[-1] if get_origin(annotation) is dict else inner[0]

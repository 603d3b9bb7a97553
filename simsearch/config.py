"""Every setting, typed and checked once, at the edge.

A YAML file holds what differs from the defaults; `key=value` words on the command line go over it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Self, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from simsearch.errors import ConfigError
from simsearch.images.limits import Limits
from simsearch.images.suites import STUDY_PROFILES, SUITES, TRAINING_PROFILES

CONFIG_VERSION: Literal[1] = 1
STUDY_BACKBONES = ("vgg16", "resnet152", "densenet201")
SPACE_NAME = r"[A-Za-z0-9][A-Za-z0-9._+-]*"  # it becomes part of paths and addresses

Positive = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]


def safe_name(name: str) -> str:
    """A name as part of a path or an address: `timm-resnet50.a1_in1k` for `timm:resnet50.a1_in1k`."""
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", name)


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StorageConfig(Section):
    """How object stores are reached. Credentials come from the standard AWS places, never from here."""

    endpoint_url: str | None = Field(
        None, description="S3 endpoint; null: AWS's own, or $AWS_ENDPOINT_URL"
    )
    region: str | None = Field(None, description="S3 region; null: from the environment")
    attempts: Positive = Field(5, description="tries per request before it counts as failed")
    timeout: Positive = Field(
        60, description="seconds without an answer after which a request is tried again"
    )


class DownloadConfig(Section):
    """How `ingest` fetches images and IIIF documents from the web."""

    enabled: bool = Field(False, description="download images that are not in the store yet")
    concurrency: Positive = Field(8, description="requests in flight at once")
    per_second: Annotated[float, Field(gt=0)] = Field(
        10.0, description="requests started per second at one host, at most"
    )
    attempts: Positive = Field(4, description="tries per image, with exponential backoff")
    timeout: Positive = Field(30, description="seconds per request")
    max_bytes: Positive = Field(64 * 2**20, description="larger responses are rejected")
    robots: bool = Field(True, description="follow each host's robots.txt")
    contact: str | None = Field(
        None, description="your address, told to the hosts so that they can write to you"
    )
    check_again_days: Annotated[float, Field(ge=0)] = Field(
        7.0, description="ask after so many days whether what is stored has changed; 0: each time"
    )
    private_networks: bool = Field(
        False, description="fetch from addresses of private networks and of this machine too"
    )


class CatalogConfig(Section):
    """Which artworks: where their metadata and their images lie."""

    reader: str = Field("generated", description="a kind of collection, or a museum's name")
    source: str | None = Field(
        None, description="URI of the folder, table or IIIF collection; null: the reader needs none"
    )
    images: str | None = Field(
        None,
        description="folder or web address that relative image names start from; null: the source's folder",
    )
    size: Positive = Field(60, description="artworks to generate (reader: generated)")
    columns: dict[str, str | tuple[str, ...]] = Field(
        default_factory=dict,
        description="catalog column: the table's column or path, or several, the first filled wins (reader: table)",
    )
    encoding: str | None = Field(
        None, description="the table's text encoding, such as cp1250; null: found out"
    )
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = Field(
        None, description="what separates the table's cells, such as ';'; null: found out"
    )
    placeholder_artworks: Annotated[int, Field(ge=2)] | None = Field(
        20,
        description="a picture that so many artworks share (“no image available”) is left out of neighbours; null: none is",
    )
    iiif_pixels: Positive = Field(
        1024, description="longest side at which a IIIF server is asked for images (reader: iiif)"
    )
    canvases: Literal["first", "all"] = Field(
        "first", description="of a IIIF manifest: its first image, or each as an artwork"
    )
    sample: Positive | None = Field(
        None, description="keep a random sample of this many; null: all"
    )
    download: DownloadConfig = DownloadConfig()


class ImagesConfig(Section):
    """How bytes become an RGB image."""

    max_pixels: Positive = Field(
        150_000_000, description="larger images are rejected before decoding"
    )
    max_bytes: Positive = Field(
        256 * 2**20, description="larger files are rejected before decoding"
    )
    max_seconds: Annotated[float, Field(gt=0)] = Field(
        60.0, description="an image that takes longer to decode is rejected as too slow"
    )
    max_memory: Annotated[int, Field(ge=512 * 2**20)] = Field(
        4 * 2**30, description="bytes that decoding one image may take"
    )
    background: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")] = Field(
        "#ffffff", description="what transparent pixels are laid on"
    )

    @property
    def limits(self) -> Limits:
        return Limits(**self.model_dump())


class PerturbationsConfig(Section):
    """Which perturbed copies are made of which originals."""

    suite: Literal["study-2018", "mild", "copy-detection"] | None = Field(
        "study-2018",
        description="a named set of profiles; see `simsearch perturbations`; null where `profiles` is given",
    )
    profiles: tuple[str, ...] = Field(
        STUDY_PROFILES,
        description="names from `simsearch perturbations`, in place of a suite; empty: no copies; null: the suite's",
    )
    originals: Positive | None = Field(
        None, description="make copies of this many originals; null: of all"
    )
    reencode_jpeg: bool = Field(
        True, description="save each copy as JPEG and read it again, as the study did"
    )

    @model_validator(mode="before")
    @classmethod
    def _suite_or_profiles(cls, values: Any) -> Any:
        """Either the suite is named or its profiles are; both only where they say the same."""
        if not isinstance(values, dict):
            return values
        listed = values.get("profiles")
        suite = values.get("suite", None if listed is not None else "study-2018")
        if not isinstance(suite, str) or suite not in SUITES:
            return {**values, "suite": suite, "profiles": [] if listed is None else listed}
        if listed is not None and tuple(listed) != SUITES[suite]:
            raise ValueError(
                f"suite: {suite!r} and a list of profiles are both given; set one of them to null"
            )
        return {**values, "suite": suite, "profiles": SUITES[suite]}

    @model_validator(mode="after")
    def _no_profile_twice(self) -> Self:
        if len(set(self.profiles)) != len(self.profiles):
            raise ValueError("profiles: a profile is named twice")
        return self


class SpaceConfig(Section):
    """A feature space: an encoder, and what is made of its vectors."""

    backbone: str = Field(description="a name from `simsearch encoders`")
    head: str | None = Field(
        None, description="makes the encoder's vectors into others: a name from `heads`; null: none"
    )
    name: Annotated[str, Field(pattern=f"^{SPACE_NAME}$")] = Field(
        "", description="what the space is called; left out: <backbone> or <backbone>+<head>"
    )

    @model_validator(mode="before")
    @classmethod
    def _named(cls, values: Any) -> Any:
        if not isinstance(values, dict) or values.get("name"):
            return values
        parts = [str(values[key]) for key in ("backbone", "head") if values.get(key)]
        return {
            **values,
            "name": "+".join(safe_name(part) for part in parts),
        }


class ExtractConfig(Section):
    """Which networks turn images into vectors, and how they run."""

    spaces: Annotated[tuple[SpaceConfig, ...], Field(min_length=1)] = Field(
        tuple(SpaceConfig(backbone=name) for name in STUDY_BACKBONES),
        description="feature spaces: [{backbone: …, head: …, name: …}]; left out: one per backbone",
    )
    backbones: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        STUDY_BACKBONES, description="short form of `spaces`: names from `simsearch encoders`"
    )
    weights: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        ("imagenet",),
        description="where weights come from, the first that can be had: 'imagenet', a directory or URI, 'random:<seed>'",
    )
    weights_for: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="the same for single backbones: {vgg16: [s3://bucket/weights]}",
    )
    preprocessing: Literal["weights", "study-2018"] = Field(
        "weights", description="the weights' own transforms, or the study's (no normalisation)"
    )
    mode: Literal["eval", "study-2018"] = Field(
        "eval",
        description="study-2018: live dropout and batch statistics as published; for comparison only",
    )
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto",
        description="auto: the fastest the hardware has that keeps vectors within cosine 0.999",
    )
    batch_size: Positive | None = Field(
        None, description="images per forward pass; null: 16 on CPU, 128 on GPU"
    )
    device: Literal["auto", "cuda", "cpu"] = Field(
        "auto",
        description="auto: GPUs where the cluster has some or its autoscaler can start some, else CPUs; "
        "cuda: wait for GPUs",
    )
    min_actors: Positive = Field(
        1, description="processes that embed, at least; more than find room wait for it"
    )
    max_actors: Positive | None = Field(
        None, description="processes that embed, at most; null: as many as nodes have room for"
    )
    shard_rows: Positive = Field(
        1536, description="images per Parquet shard; at most this many are redone after a crash"
    )
    max_reject_share: Share = Field(
        0.05, description="a larger share of unreadable images fails the run"
    )
    retry_rejects: bool = Field(False, description="try images again that an earlier run rejected")

    @model_validator(mode="before")
    @classmethod
    def _spaces_or_backbones(cls, values: Any) -> Any:
        """Either the spaces are listed or, in short, their backbones; both only where they agree."""
        if not isinstance(values, dict):
            return values
        spaces, backbones = values.get("spaces"), values.get("backbones")
        if spaces is None and isinstance(backbones, list | tuple):
            return {**values, "spaces": [{"backbone": name} for name in backbones]}
        if not isinstance(spaces, list | tuple) or not all(isinstance(one, dict) for one in spaces):
            return values
        named = list(dict.fromkeys(space.get("backbone") for space in spaces))
        if not named or None in named:
            return {**values, "backbones": STUDY_BACKBONES}  # the spaces' own faults are told
        if backbones is not None and list(backbones) != named:
            raise ValueError("spaces: given beside other backbones; leave one of the two out")
        return {**values, "backbones": named}

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        if len(set(self.backbones)) != len(self.backbones):
            raise ValueError("backbones: a backbone is named twice")
        names = [space.name for space in self.spaces]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"spaces: {', '.join(twice)} is named twice; give each its own name")
        if unused := sorted(set(self.weights_for) - set(self.backbones)):
            raise ValueError(
                f"weights_for: {', '.join(unused)} not among backbones ({', '.join(self.backbones)})"
            )
        return self


class WhiteningConfig(Section):
    """PCA whitening of an encoder's vectors, in closed form."""

    kind: Literal["whitening"] = "whitening"
    dimensions: Positive | None = Field(
        None, description="principal components kept; null: as many as the encoder has numbers"
    )
    power: Share = Field(
        1.0, description="1: every component gets the same spread; 0: each keeps its own"
    )


class ContrastiveConfig(Section):
    """A map under which copies lie near their original and everything else far apart."""

    kind: Literal["contrastive"] = "contrastive"
    dimensions: Positive = Field(512, description="numbers of a vector")
    hidden: Positive | None = Field(
        None, description="width of a hidden layer; null: none, the map is linear"
    )
    temperature: Annotated[float, Field(gt=0)] = Field(
        0.05, description="of the InfoNCE loss; lower: the hardest negatives count for more"
    )
    entropy: Annotated[float, Field(ge=0)] = Field(
        10.0, description="weight of the KoLeo term, which spreads vectors over the sphere"
    )
    epochs: Positive = Field(20, description="times that every artwork is seen")
    batch_size: Annotated[int, Field(ge=2)] = Field(512, description="artworks a step")
    learning_rate: Annotated[float, Field(gt=0)] = Field(1e-3, description="of AdamW, at its peak")


class DenoisingConfig(Section):
    """A linear map from a copy's vector back to its original's, in closed form."""

    kind: Literal["denoising"] = "denoising"
    ridge: Annotated[float, Field(gt=0)] = Field(
        0.01, description="how far the map is held back, as a share of the vectors' mean variance"
    )


HeadConfig = Annotated[
    WhiteningConfig | ContrastiveConfig | DenoisingConfig, Field(discriminator="kind")
]
HEADS: dict[str, Any] = {kind: {"kind": kind} for kind in ("whitening", "contrastive", "denoising")}


class AutoencoderConfig(Section):
    """A convolutional network that squeezes images through few numbers, which are their vector, and
    makes them again. A `denoising` one makes the original from a perturbed copy."""

    kind: Literal["autoencoder", "variational", "denoising"] = "autoencoder"
    side: Literal[32, 64, 128, 256] = Field(64, description="pixels of a side that it is shown")
    latent: Positive = Field(256, description="numbers of a vector")
    width: Positive = Field(32, description="channels of the first layer; each further has twice")
    beta: Annotated[float, Field(ge=0)] = Field(
        0.1, description="variational: weight of the divergence beside the summed squared error"
    )
    warm_up: Share = Field(
        0.3, description="variational: share of the training in which the weight rises from 0"
    )
    epochs: Positive = Field(20, description="times that every image is seen")
    batch_size: Positive = Field(64, description="images a step, over all workers")
    learning_rate: Annotated[float, Field(gt=0)] = Field(1e-3, description="of Adam")


AUTOENCODERS: dict[str, Any] = {
    "autoencoder": {"kind": "autoencoder"},
    "variational": {"kind": "variational"},
    "denoising-autoencoder": {"kind": "denoising"},
}


class TrainConfig(Section):
    """What feature spaces are learned from: artworks that are not measured, and copies of them."""

    profiles: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        TRAINING_PROFILES,
        description="the copies to learn from; every other profile is one the spaces never saw",
    )
    originals: Positive | None = Field(
        2000,
        description="learn from the copies of this many artworks; null: of all not measured",
    )


class IndexConfig(Section):
    """Annoy, metric `angular`."""

    trees: Positive = Field(50, description="more trees: better recall, larger file")
    target_recall: Annotated[float, Field(gt=0, le=1)] = Field(
        0.99, description="search_k is raised until this share of the true nearest is found"
    )
    pca: Positive | None = Field(
        None,
        description="give Annoy only this many principal components of each vector: a smaller, "
        "faster index that finds fewer of the true nearest; null: whole vectors",
    )


class EvaluateConfig(Section):
    """How recovery is measured."""

    ks: Annotated[tuple[Positive, ...], Field(min_length=1)] = Field(
        (1, 3, 5), description="ranks at which precision, recall and F1 are taken"
    )
    neighbours: Positive = Field(10, description="nearest images kept per original")
    depth: Positive = Field(
        100, description="deepest rank that recall curves and average precision look at"
    )
    bootstrap: Positive = Field(
        1000, description="resamples of the originals behind each 95 % interval"
    )

    @model_validator(mode="after")
    def _ks_fit(self) -> Self:
        if list(self.ks) != sorted(set(self.ks)):
            raise ValueError("ks: must be ascending, each once")
        if self.ks[-1] > self.neighbours:
            raise ValueError(
                f"neighbours: {self.neighbours} is fewer than the largest of ks, {self.ks[-1]}"
            )
        return self


class ProjectionConfig(Section):
    """The maps of each feature space, in two dimensions, that the explorer draws."""

    methods: tuple[Literal["pca", "umap"], ...] = Field(
        ("pca", "umap"), description="which maps to compute; empty: none"
    )
    umap_neighbours: Annotated[int, Field(ge=2)] = Field(
        15, description="fewer: finer local structure, more: the overall shape"
    )
    umap_min_distance: Share = Field(
        0.1, description="how close points may lie on the UMAP map, 0 to 1"
    )

    @model_validator(mode="after")
    def _no_method_twice(self) -> Self:
        if len(set(self.methods)) != len(self.methods):
            raise ValueError("methods: a method is named twice")
        return self


class ReportConfig(Section):
    """The HTML report."""

    examples: Positive = Field(
        4, description="originals shown with their nearest images, per backbone"
    )


class LeaseConfig(Section):
    """One run at a time per root."""

    seconds: Annotated[int, Field(ge=3)] = Field(
        60, description="a lease not renewed for so long is free for another run"
    )
    wait: Annotated[int, Field(ge=0)] = Field(
        0, description="seconds to wait for another run to end; 0: leave at once"
    )


class PublishConfig(Section):
    """When a new snapshot is so much worse than the published one that LATEST stays."""

    max_catalog_shrink: Share = Field(
        0.1, description="largest share of artworks that may vanish at once, catalog settings equal"
    )
    max_recovery_drop: Share = Field(
        0.05, description="largest fall of mean recall at any k, in the same feature space"
    )
    force: bool = Field(False, description="publish all the same")


class MonitoringConfig(Section):
    """Who is told how a run ended, beside the log and the run record in the store."""

    prometheus_textfile: str | None = Field(
        None, description="file for node_exporter's textfile collector, such as /…/simsearch.prom"
    )
    pushgateway: str | None = Field(None, description="host:port of a Prometheus Pushgateway")
    on_failure: tuple[str, ...] = Field(
        (), description="a command and its arguments; gets the run record as JSON on standard input"
    )
    log_json: bool | None = Field(
        None,
        description="write the run record into the log as one JSON line; null: not on a terminal",
    )


class ExploreConfig(Section):
    """The explorer's web server. Its password comes from $SIMSEARCH_EXPLORE_TOKEN, never from here."""

    host: str = Field("127.0.0.1", description="address to listen on; 0.0.0.0: every network")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(8400, description="port; 0: any free one")
    hosts: tuple[str, ...] = Field(
        (), description="further host names it may be reached by, such as explorer.museum.org"
    )
    max_upload_bytes: Positive = Field(
        32 * 2**20, description="larger pictures are refused while they arrive"
    )
    max_upload_pixels: Positive = Field(
        60_000_000, description="larger pictures are refused before decoding"
    )


class RayConfig(Section):
    """Where the work runs."""

    address: str | None = Field(
        None, description="cluster address; null: $RAY_ADDRESS, else Ray inside this process"
    )
    cpus: Positive | None = Field(
        None, description="CPUs to use when Ray runs inside this process; null: all"
    )
    train_workers: Annotated[int, Field(ge=0)] = Field(
        0, description="processes that learn from pixels together; 0: this one alone"
    )
    log_seconds: Positive = Field(
        10, description="seconds between progress lines where there is no terminal"
    )
    stall_warn: Annotated[float, Field(gt=0)] = Field(
        60, description="seconds in which nothing moves after which the log says what is waited for"
    )
    stall_fail: Annotated[float, Field(gt=0)] | None = Field(
        1800, description="seconds in which nothing moves after which the run ends; null: never"
    )


class Config(Section):
    """All settings of a run."""

    version: Literal[1] = CONFIG_VERSION
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
        HEADS, description="settings of heads by name; one of each kind is there by its kind's name"
    )
    autoencoders: Annotated[
        dict[Annotated[str, Field(pattern=f"^{SPACE_NAME}$")], AutoencoderConfig],
        Field(validate_default=True),
    ] = Field(
        AUTOENCODERS,
        description="settings of encoders learned from pixels, by the name a space's backbone gives",
    )
    train: TrainConfig = TrainConfig()
    index: IndexConfig = IndexConfig()
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
    def _one_of_each_kind(cls, values: Any) -> Any:
        """Heads and autoencoders that are always there; what is given of them goes over them."""
        if not isinstance(values, dict):
            return values
        merged = dict(values)
        for section, ready in (("heads", HEADS), ("autoencoders", AUTOENCODERS)):
            if isinstance(given := values.get(section), dict):
                settings = {
                    name: {**ready.get(name, {}), **own} if isinstance(own, dict) else own
                    for name, own in given.items()
                }
                merged[section] = {**ready, **settings}
        return merged

    @model_validator(mode="after")
    def _heads_known(self) -> Self:
        for space in self.extract.spaces:
            if space.head is not None and space.head not in self.heads:
                raise ValueError(
                    f"extract.spaces: {space.name} names head {space.head!r}, which is not among "
                    f"heads ({', '.join(self.heads)})"
                )
        return self


OPERATIONAL = ("storage", "explore", "ray", "lease", "publish", "monitoring")
"""Sections that decide how and where a run works, never what comes out of it."""


def load_config(path: str | os.PathLike[str] | None, overrides: Sequence[str] = ()) -> Config:
    """The settings of a YAML file (None: the defaults) with `key=value` overrides.

    Values are read as YAML: `extract.batch_size=64`, `evaluate.ks=[1,5]`, `catalog.sample=null`.
    Raises ConfigError naming the key and what is allowed.
    """
    values = {} if path is None else _read_yaml(Path(path))
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
        where = "" if path is None else f"{path}: "
        faults = error.errors()
        # A list that lost an entry to its own fault is not also too short.
        inner = {fault["loc"][:depth] for fault in faults for depth in range(len(fault["loc"]))}
        told = [_describe(fault) for fault in faults if fault["loc"] not in inner]
        raise ConfigError(where + "; ".join(told)) from None


def dump_config(config: Config) -> str:
    """The settings as YAML that `load_config` reads back to an equal Config."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
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
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise ConfigError(
            f"{override!r}: an override is written key=value, such as extract.batch_size=64"
        )
    try:
        value = yaml.safe_load(text) if text else None
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
    given = error.get("input")
    shown = "" if isinstance(given, dict) else f" (is {given!r})"
    return f"{key}: {message}{shown}" if key else message


def _allowed_keys(location: tuple[int | str, ...]) -> list[str]:
    """The settings of the section at a place; within lists and unions the place says which."""
    section: Any = Config
    for part in location:
        if isinstance(section, type) and issubclass(section, BaseModel):
            section = section.model_fields[str(part)].annotation
        else:
            section = _member(section, part)
    return list(section.model_fields)


def _member(annotation: Any, part: int | str) -> Any:
    """What lies at `part` of a tuple (a number), a mapping (a key) or a union told apart by kind."""
    inner = get_args(annotation)
    if get_origin(annotation) is Annotated:
        return _member(inner[0], part)
    if get_origin(annotation) is UnionType:
        return next(kind for kind in inner if kind.model_fields["kind"].default == part)
    return inner[-1] if get_origin(annotation) is dict else inner[0]

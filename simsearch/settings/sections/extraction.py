"""Settings of the feature spaces and of how images become vectors."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from simsearch.settings.sections.section import Positive, Section, Share

PUBLISHED = "imagenet"  # the source that means: the weights that the network's publisher offers
STUDY_BACKBONES = ("vgg16", "resnet152", "densenet201")

SPACE_NAME = r"[A-Za-z0-9][A-Za-z0-9._+-]*"  # it becomes part of paths and addresses


def safe_name(name: str) -> str:
    """A name as part of a path or an address: `timm-resnet50.a1_in1k` for `timm:resnet50.a1_in1k`.

    A name that would then not begin with a letter or digit gets its digest in front.
    """
    safe = re.sub(r"[^A-Za-z0-9._+-]+", "-", name)
    if re.fullmatch(SPACE_NAME, safe):
        return safe
    return f"{hashlib.sha256(name.encode()).hexdigest()[:8]}{safe}"


class SpaceConfig(Section):
    """A feature space: a backbone and a head that may follow it, or other spaces joined."""

    backbone: str = Field(
        "", description="a name from `simsearch encoders`; left out where `of` is given"
    )
    head: str | None = Field(
        None,
        description="head that maps the backbone's vectors to others: a name from `heads`; null: none",
    )
    of: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(
        default_factory=dict,
        description="instead of a backbone: names of other spaces of the list and their weights; two pictures "
        "are as alike as the weighted mean of the spaces has them",
    )
    name: Annotated[str, Field(pattern=f"^{SPACE_NAME}$")] = Field(
        "", description="the space's name; left out: <backbone> or <backbone>+<head>"
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_name(cls, values: Any) -> Any:
        if isinstance(values, str):
            values = {"backbone": values}
        if not isinstance(values, dict) or values.get("name"):
            return values
        if values.get("of"):
            raise ValueError("a joined space needs a name: add name=…")
        parts = [str(values[key]) for key in ("backbone", "head") if values.get(key)]
        return {
            **values,
            "name": "+".join(safe_name(part) for part in parts),
        }

    @model_validator(mode="after")
    def _check_kind(self) -> Self:
        if bool(self.backbone) == bool(self.of):
            raise ValueError("a space has either a backbone or, under `of`, spaces to join")
        if self.of and self.head is not None:
            raise ValueError("a joined space has no head; join spaces that have one")
        if len(self.of) == 1:
            raise ValueError(f"only one space to join ({next(iter(self.of))}); name two or more")
        return self


class ExtractConfig(Section):
    """Which networks turn images into vectors, and how they run."""

    spaces: Annotated[tuple[SpaceConfig, ...], Field(min_length=1)] = Field(
        tuple(SpaceConfig(backbone=name) for name in STUDY_BACKBONES),
        description="feature spaces: [NAME, {backbone: NAME, head: …, name: …}], names from `simsearch encoders`",
    )
    backbones: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        STUDY_BACKBONES, description="short form of `spaces`: names from `simsearch encoders`"
    )
    weights: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        (PUBLISHED,),
        description="where weights come from, the first source that has them: 'imagenet', a directory or URI, 'random:<seed>'",
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
        description="auto: that of the space's stored vectors; for a new space the fastest one of the "
        "hardware that keeps vectors within cosine 0.999",
    )
    engine: Literal["auto", "pytorch"] = Field(
        "auto",
        description="engine on CPUs. auto: ONNX Runtime if there is much work and it is faster, else PyTorch; "
        "a space is finished by the engine that began it",
    )
    batch_size: Positive | None = Field(
        None, description="images per forward pass; null: 16 on CPU, 128 on GPU"
    )
    device: Literal["auto", "cuda", "cpu"] = Field(
        "auto",
        description="auto: GPUs if the cluster has some or its autoscaler can start some, else CPUs; "
        "cuda: wait for GPUs",
    )
    min_actors: Positive = Field(
        1, description="fewest processes that embed; those that do not fit wait for room"
    )
    max_actors: Positive | None = Field(
        None, description="most processes that embed; null: as many as nodes have room for"
    )
    shard_rows: Positive = Field(
        1536, description="most images per Parquet shard; a shard also ends after a minute"
    )
    max_reject_share: Share = Field(
        0.05, description="a larger share of unreadable images fails the run"
    )
    retry_rejects: bool = Field(False, description="try images again that an earlier run rejected")

    @model_validator(mode="before")
    @classmethod
    def _fill_spaces(cls, values: Any) -> Any:
        """Take a list of spaces or, in short, of backbones; both only if they agree."""
        if not isinstance(values, dict):
            return values
        spaces, backbones = values.get("spaces"), values.get("backbones")
        if spaces is None and isinstance(backbones, list | tuple):
            return {**values, "spaces": [{"backbone": name} for name in backbones]}
        if not isinstance(spaces, list | tuple) or not all(
            isinstance(space, dict | str) for space in spaces
        ):
            return values
        named = list(
            dict.fromkeys(
                space if isinstance(space, str) else space.get("backbone")
                for space in spaces
                if isinstance(space, str) or not space.get("of")
            )
        )
        if not named or None in named:
            return {
                **values,
                "backbones": STUDY_BACKBONES,
            }  # pydantic reports the faults of the spaces
        if backbones is not None and list(backbones) != named:
            raise ValueError("spaces: given beside other backbones; leave one of the two out")
        return {**values, "backbones": named}

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        if len(set(self.backbones)) != len(self.backbones):
            raise ValueError("backbones: a backbone is named twice")
        names = [space.name for space in self.spaces]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"spaces: {', '.join(twice)} is named twice; give each its own name")
        encoded = [space.name for space in self.spaces if space.backbone]
        for space in self.spaces:
            if strange := sorted(set(space.of) - set(encoded)):
                raise ValueError(
                    f"spaces: {space.name} joins {', '.join(strange)}, not among the spaces that have a backbone "
                    f"({', '.join(encoded)}); add it to the list"
                )
        if unused := sorted(set(self.weights_for) - set(self.backbones)):
            raise ValueError(
                f"weights_for: {', '.join(unused)} not among backbones ({', '.join(self.backbones)})"
            )
        return self

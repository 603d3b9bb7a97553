"""A snapshot's plan: everything that decides its content, and the id that follows from it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from typing import Any

from simsearch.features.space import FeatureSpace
from simsearch.settings.config import OPERATIONAL, Config, kept_settings

DECISIVE = ("seed", "index", "geometry", "evaluate", "projection", "report")
"""Settings that decide what a snapshot holds beside its images and feature spaces."""
DECISIVE_OF_PERTURBATIONS = ("profiles", "reencode_jpeg")


@dataclass(frozen=True)
class Plan:
    """The inputs of a snapshot: the catalog, the feature spaces, the images and the settings.

    `precision_reasons` says in words, per space, why it runs in its precision. `artworks` counts
    the catalog's rows, `images` originals and copies, `rejects` artworks without vectors.
    """

    catalog_id: str
    code_version: str
    spaces: tuple[FeatureSpace, ...]
    precision_reasons: dict[str, str]
    artworks: int
    images: int
    rejects: int
    images_sha256: str
    settings: Config  # in a plan that was read, the settings that are not kept have their defaults
    verdicts_sha256: str | None = (
        None  # of what people said of pairs of its pictures; None: nothing
    )

    @property
    def profiles(self) -> tuple[str, ...]:
        """The perturbation profiles of the copies."""
        return self.settings.perturbations.profiles

    @property
    def seed(self) -> int:
        return self.settings.seed

    @property
    def untrained(self) -> frozenset[str]:
        """The names of the spaces whose encoders have random weights."""
        return frozenset(space.name for space in self.spaces if not space.trained)

    @property
    def warnings(self) -> list[str]:
        """Warnings that a reader needs before trusting a figure."""
        warnings = []
        if names := sorted(self.untrained):
            warnings.append(
                f"Untrained weights: {', '.join(names)} ran with random numbers. Their figures say nothing about the trained networks."
            )
        if live := sorted(space.name for space in self.spaces if space.mode == "study-2018"):
            warnings.append(
                f"Live dropout and batch statistics, as in the 2018 study, for comparison only: {', '.join(live)}. "
                "A vector depends on the images in its batch."
            )
        return warnings

    @property
    def snapshot_id(self) -> str:
        return plan_digest(self.to_json())

    def space(self, name: str) -> FeatureSpace:
        return next(space for space in self.spaces if space.name == name)

    def to_json(self) -> dict[str, Any]:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            **values,
            "spaces": [space.to_json() for space in self.spaces],
            "settings": kept_settings(self.settings),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Plan:
        """The plan of a `to_json`. Settings that this version does not have are left out. Raises TypeError,
        KeyError or ValueError for anything but a plan."""
        return cls(
            **{
                **values,
                "spaces": tuple(FeatureSpace.from_json(space) for space in values["spaces"]),
                "settings": Config.model_validate(values["settings"], extra="ignore"),
            }
        )


def plan_digest(values: dict[str, Any]) -> str:
    """The snapshot id of a plan's JSON: 16 hex digits.

    The id is computed from the JSON, not from a Plan: a Plan that a later version read also has the
    defaults of newer settings, which must not change an older id. Reasons in words and settings that
    decide nothing are left out.
    """
    counted = {
        key: value for key, value in values.items() if key not in ("settings", "precision_reasons")
    }
    settings = values["settings"]
    counted["settings"] = {key: settings.get(key) for key in DECISIVE} | {
        key: settings["perturbations"].get(key) for key in DECISIVE_OF_PERTURBATIONS
    }
    return hashlib.sha256(json.dumps(counted, sort_keys=True).encode()).hexdigest()[:16]


def settings_digest(settings: dict[str, Any]) -> str:
    """The SHA-256 of `kept_settings`. Operational settings in a plan do not change it."""
    counted = {key: value for key, value in settings.items() if key not in OPERATIONAL}
    counted["extract"] = {**settings["extract"], "retry_rejects": False}
    return hashlib.sha256(json.dumps(counted, sort_keys=True).encode()).hexdigest()

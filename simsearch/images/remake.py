"""A run's images, made from their files.

Extraction and training make images here, and so do a later query, the report and the explorer. All of
them therefore see the same pixels."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from simsearch.images.bounded import decode_within
from simsearch.images.limits import Limits
from simsearch.images.perturbations import DEFINITIONS_VERSION, get_profile, perturb


@dataclass(frozen=True)
class Remake:
    """Makes a run's images. `limits` also has their size and background. `seed` and `reencode_jpeg` are
    those of `perturb`."""

    limits: Limits
    reencode_jpeg: bool
    seed: int

    @property
    def described(self) -> str:
        """These settings in words, which are part of every fingerprint. Full size is not mentioned: at
        first there was no other, and vectors stored then have to stay valid."""
        reencoded = "re-encoded as JPEG" if self.reencode_jpeg else "not re-encoded"
        side = self.limits.side
        scaled = "" if side is None else f", pictures of at most {side} pixels a side"
        return f"definitions {DEFINITIONS_VERSION}, {reencoded}, seed {self.seed}{scaled}"

    def original(self, data: bytes) -> Image.Image:
        """The image of a file before a network's own preprocessing: RGB, upright, at `scaling.used_size`.
        Raises ImageError."""
        return decode_within(data, self.limits)

    def copy(self, original: Image.Image, profile: str, content_hash: str) -> Image.Image:
        """The perturbed copy of an `original` whose file has that hash."""
        return perturb(
            original,
            get_profile(profile),
            reencode_jpeg=self.reencode_jpeg,
            seed=self.seed,
            content_hash=content_hash,
        )

    def image(self, data: bytes, profile: str | None, content_hash: str) -> Image.Image:
        """A file's original (`profile` None) or its copy. Raises ImageError."""
        original = self.original(data)
        return original if profile is None else self.copy(original, profile, content_hash)

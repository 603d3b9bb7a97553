"""A run's images made from their files, wherever one is needed: when vectors are extracted and learned
from, and again for a query, the report and the explorer. One way, so one answer."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from simsearch.images.bounded import decode_within
from simsearch.images.limits import Limits
from simsearch.images.perturbations import DEFINITIONS_VERSION, get_profile, perturb


@dataclass(frozen=True)
class Remake:
    """How a run makes its images: `limits` say at which size and on which background, too; `seed`
    and `reencode_jpeg` are those of `perturb`."""

    limits: Limits
    reencode_jpeg: bool
    seed: int

    @property
    def described(self) -> str:
        """In words, part of every fingerprint; full size goes unsaid, as it did before there was
        another, so that vectors of then stay valid."""
        reencoded = "re-encoded as JPEG" if self.reencode_jpeg else "not re-encoded"
        side = self.limits.side
        scaled = "" if side is None else f", pictures of at most {side} pixels a side"
        return f"definitions {DEFINITIONS_VERSION}, {reencoded}, seed {self.seed}{scaled}"

    def original(self, data: bytes) -> Image.Image:
        """A file as the networks get it, before their own preprocessing: RGB, upright, at the size
        that is used. Raises ImageError."""
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

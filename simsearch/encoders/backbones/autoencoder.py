"""Convolutional autoencoders, plain and variational: an image becomes few numbers, and these an image.

Groups are normalised, not batches (Wu and He 2018). An image's vector therefore depends on no other
image, and training is the same with one worker or several.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import nn

from simsearch.settings.sections.training import AutoencoderConfig

SMALLEST = 4  # side in pixels at which the convolutions end
GROUPS = 8
# Keeps a standard deviation between e⁻⁵ and e⁵: the exponential of an untrained layer may overflow.
LOG_VARIANCE = 10.0


class Autoencoder(nn.Module):
    """`encode` maps images [n, 3, side, side] in 0..1 to latents [n, latent], `decode` maps latents to
    images. A variational network encodes to the mean of its distribution."""

    def __init__(self, settings: AutoencoderConfig) -> None:
        super().__init__()
        self.variational = settings.kind == "variational"
        stages = int(math.log2(settings.side // SMALLEST))
        widths = [settings.width * 2**stage for stage in range(stages)]
        self._shape = (widths[-1], SMALLEST, SMALLEST)
        flat = math.prod(self._shape)
        self.encoder = nn.Sequential(
            *(
                layer
                for inputs, outputs in pairwise([3, *widths])
                for layer in (nn.Conv2d(inputs, outputs, 4, 2, 1), _norm(outputs), nn.SiLU())
            ),
            nn.Flatten(),
        )
        self.mean = nn.Linear(flat, settings.latent)
        self.log_variance = nn.Linear(flat, settings.latent) if self.variational else None
        self.widen = nn.Linear(settings.latent, flat)
        back = [*reversed(widths), 3]
        self.decoder = nn.Sequential(
            *(
                layer
                for inputs, outputs in pairwise(back[:-1])
                for layer in (
                    nn.ConvTranspose2d(inputs, outputs, 4, 2, 1),
                    _norm(outputs),
                    nn.SiLU(),
                )
            ),
            nn.ConvTranspose2d(back[-2], 3, 4, 2, 1),
            nn.Sigmoid(),
        )

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        mean: torch.Tensor = self.mean(self.encoder(images))
        return mean

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        images: torch.Tensor = self.decoder(self.widen(latents).view(-1, *self._shape))
        return images

    def forward(
        self, images: torch.Tensor, noise: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        """The restored images, their mean latents and, for a variational network, log variances [n,
        latent]. Its latents are drawn with `noise` [n, latent], standard normal."""
        features = self.encoder(images)
        mean = self.mean(features)
        if self.log_variance is None:
            return self.decode(mean), mean, None
        log_variance = self.log_variance(features).clamp(-LOG_VARIANCE, LOG_VARIANCE)
        latents = mean if noise is None else mean + noise * (log_variance / 2).exp()
        return self.decode(latents), mean, log_variance


class Features(nn.Module):
    """The encoding half as a network from images to vectors."""

    def __init__(self, whole: Autoencoder) -> None:
        super().__init__()
        self.encoder, self.mean = whole.encoder, whole.mean

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        vectors: torch.Tensor = self.mean(self.encoder(images))
        return vectors


def _norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(math.gcd(GROUPS, channels), channels)

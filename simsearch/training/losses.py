"""The losses that trainings minimise, as functions of tensors."""

from __future__ import annotations

import torch
from torch.nn import functional

APART = 1e-8  # added to a distance, so that equal vectors have a finite logarithm


def info_nce(vectors: torch.Tensor, artworks: torch.Tensor, temperature: float) -> torch.Tensor:
    """Contrastive loss of unit vectors [n, d]. `artworks` [n] are the numbers of their artworks.

    For each ordered pair of one artwork's images: minus the log of the pair's share of
    exp(cosine / temperature) among the pair itself and all pairs with images of other artworks;
    averaged over pairs. (van den Oord et al. 2018; SSCD, Pizzi et al. 2022, equation 1.)
    """
    logits = vectors @ vectors.T / temperature
    same = artworks[:, None] == artworks[None, :]
    positive = same & ~torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)
    negatives = torch.logsumexp(logits.masked_fill(same, -torch.inf), dim=1, keepdim=True)
    losses = torch.logaddexp(logits, negatives) - logits
    return losses[positive].mean()


def koleo(vectors: torch.Tensor, artworks: torch.Tensor) -> torch.Tensor:
    """Minus the mean log distance of unit vectors [n, d] from the nearest vector of another artwork.

    The Kozachenko–Leonenko estimate of differential entropy without its constants: the smaller, the
    more evenly the vectors fill the sphere. (Sablayrolles et al. 2019.)
    """
    same = artworks[:, None] == artworks[None, :]
    nearest = (vectors @ vectors.T).masked_fill(same, -2.0).argmax(dim=1)
    distances = (vectors - vectors[nearest]).norm(dim=1)
    return -torch.log(distances + APART).mean()


def reconstruction(
    images: torch.Tensor, targets: torch.Tensor, batch_size: int | None = None
) -> torch.Tensor:
    """Squared error of images [n, 3, h, w] in 0..1, summed over an image, averaged over images.

    With `batch_size`, the images are part of a batch of that size, and the result is their part of its
    average. None: the images are the batch.
    """
    summed = functional.mse_loss(images, targets, reduction="sum")
    return summed / (batch_size or len(images))


def divergence(
    mean: torch.Tensor, log_variance: torch.Tensor, batch_size: int | None = None
) -> torch.Tensor:
    """Kullback–Leibler divergence [d] of normal distributions [n, d] from the standard one, averaged
    over images as `reconstruction` does. (Kingma and Welling 2014, appendix B.)"""
    terms = 0.5 * (mean**2 + log_variance.exp() - log_variance - 1)
    return terms.sum(dim=0) / (batch_size or len(mean))

"""Settings of heads and encoders that are learned from the collection."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from simsearch.images.suites import TRAINING_PROFILES
from simsearch.settings.sections.section import Positive, Section, Share


class WhiteningConfig(Section):
    """PCA whitening of an encoder's vectors, in closed form, as strong as serves held-out works."""

    kind: Literal["whitening"] = Field("whitening", description="what the head is")
    dimensions: Positive | None = Field(
        None,
        description="principal components kept; null: chosen with the power, and with a power that is given "
        "as many as the backbone's vectors have numbers",
    )
    power: Share | Literal["auto"] = Field(
        "auto",
        description="1: every component gets the same spread; 0: each keeps its own; auto: what finds the "
        "copies of held-out works best, or no change where nothing helps",
    )


class ContrastiveConfig(Section):
    """A map under which copies lie near their original and everything else far apart."""

    kind: Literal["contrastive"] = Field("contrastive", description="what the head is")
    dimensions: Positive | None = Field(
        None, description="numbers of a vector; null: as many as the backbone's have"
    )
    hidden: Positive | None = Field(
        None, description="width of a hidden layer; null: none, the map is linear"
    )
    temperature: Annotated[float, Field(gt=0)] = Field(
        0.05, description="of the InfoNCE loss; lower: the hardest negatives count for more"
    )
    entropy: Annotated[float, Field(ge=0)] = Field(
        10.0, description="weight of the KoLeo term, which spreads vectors over the sphere"
    )
    epochs: Positive = Field(60, description="times that every artwork is seen")
    batch_size: Annotated[int, Field(ge=2)] = Field(256, description="artworks a step")
    learning_rate: Annotated[float, Field(gt=0)] = Field(1e-3, description="of AdamW, at its peak")


class DenoisingConfig(Section):
    """A linear map from a copy's vector back to its original's, in closed form."""

    kind: Literal["denoising"] = Field("denoising", description="what the head is")
    ridge: Annotated[float, Field(gt=0)] = Field(
        0.1, description="strength of the ridge penalty, as a share of the vectors' mean variance"
    )


class AutoencoderConfig(Section):
    """A convolutional network that compresses an image into few numbers, its vector, and restores the
    image from them. A `denoising` one restores the original from a perturbed copy."""

    kind: Literal["autoencoder", "variational", "denoising"] = Field(
        "autoencoder", description="what the network is"
    )
    side: Literal[32, 64, 128, 256] = Field(
        64, description="side in pixels of the images that the network gets"
    )
    latent: Positive = Field(256, description="numbers of a vector")
    width: Positive = Field(
        32, description="channels of the first layer; each further layer has twice as many"
    )
    beta: Annotated[float, Field(ge=0)] = Field(
        0.1, description="variational: weight of the divergence beside the summed squared error"
    )
    warm_up: Share = Field(
        0.3, description="variational: share of the training in which the weight rises from 0"
    )
    epochs: Positive = Field(8, description="times that every image is seen")
    batch_size: Positive = Field(64, description="images a step, over all workers")
    learning_rate: Annotated[float, Field(gt=0)] = Field(1e-3, description="of Adam")


class TrainConfig(Section):
    """The images that spaces are learned from: artworks that are not measured, and their copies."""

    profiles: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        TRAINING_PROFILES,
        description="profiles of the copies to learn from; learned spaces never see the others",
    )
    originals: Positive | None = Field(
        2000,
        description="artworks to learn from with their copies; null: all that are not measured",
    )

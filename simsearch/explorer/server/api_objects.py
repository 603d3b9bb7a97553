"""The objects of the JSON API."""

from __future__ import annotations

from pydantic import BaseModel, Field


class ArtworkOut(BaseModel):
    """A catalog entry with an image."""

    artwork_id: str
    title: str | None
    artists: list[str]
    date: str | None
    medium: str | None
    dimensions: str | None
    department: str | None
    classification: str | None
    credit: str | None
    rights: str | None
    attribution: str | None
    url: str | None
    thumbnail: str = Field(description="path of a WebP picture, 400 pixels at most, on this server")


class ArtworksOut(BaseModel):
    snapshot: str
    total: int
    page: int
    artworks: list[ArtworkOut]


class NeighbourOut(BaseModel):
    rank: int
    artwork_id: str
    profile: str | None = Field(
        description="null for an original, else the perturbed copy's profile"
    )
    title: str | None
    artists: list[str]
    date: str | None
    distance: float = Field(description="angular, in [0, 2]")
    score: float = Field(description="cosine similarity, in [−1, 1]")
    thumbnail: str


class SamePictureOut(BaseModel):
    """An artwork that shows the picture that was sent."""

    artwork: ArtworkOut
    relation: str = Field(description="what the picture is to the artwork's")
    words: str = Field(description="the same for readers")
    evidence: str = Field(description="what speaks for it, for readers")
    mirrored: bool
    inliers: int | None = Field(description="points in common; null for equal bytes")
    false_alarms: float | None = Field(
        description="pairs of other works with as much evidence that are expected among all compared pairs"
    )


class NeighboursOut(BaseModel):
    snapshot: str
    artwork_id: str
    trained: dict[str, bool]
    spaces: dict[str, list[NeighbourOut]]


class MetricOut(BaseModel):
    """A mean over `n` originals with its 95 % bootstrap interval."""

    space: str
    search: str
    scope: str
    k: int
    metric: str
    mean: float
    std: float
    ci_low: float
    ci_high: float
    ceiling: float
    n: int


class RejectOut(BaseModel):
    artwork_id: str
    image_uri: str | None
    stage: str
    reason: str
    detail: str | None


class RejectsOut(BaseModel):
    snapshot: str
    total: int
    page: int
    rejects: list[RejectOut]


class SnapshotOut(BaseModel):
    snapshot_id: str
    created: str
    collection: str
    artworks: int
    spaces: list[str]
    newest: bool

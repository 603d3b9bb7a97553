"""Settings of indexes, evaluation, maps and report."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from simsearch.settings.sections.section import Positive, Section, Share


class IndexConfig(Section):
    """The index. Annoy finds candidates by the angles between a few principal components of the
    vectors. The whole vectors then order the candidates."""

    trees: Positive = Field(10, description="more trees: a larger file, fewer candidates looked at")
    target_recall: Annotated[float, Field(gt=0, le=1)] = Field(
        0.99,
        description="search_k is raised until this share of the evaluate.neighbours true nearest is found",
    )
    components: Positive | None = Field(
        None,
        description="principal components of each vector that Annoy gets; null: a 16th of its "
        "numbers, 16 to 128",
    )


class GeometryConfig(Section):
    """Which artworks show the same picture, judged by points that two pictures have in common, in the
    same arrangement. No network has a say."""

    enabled: bool = Field(
        True,
        description="false: only pictures with equal bytes are known to be the same",
    )
    candidates: Annotated[int, Field(gt=0, le=50)] = Field(
        10,
        description="nearest originals, in each trained space, that each original is compared with",
    )


class EvaluateConfig(Section):
    """How recovery is measured."""

    ks: Annotated[tuple[Positive, ...], Field(min_length=1)] = Field(
        (1, 3, 5), description="ranks at which precision, recall and F1 are measured"
    )
    neighbours: Positive = Field(10, description="nearest images kept per original")
    depth: Positive = Field(
        100, description="deepest rank that enters recall curves and average precision"
    )
    incremental: bool = Field(
        True,
        description="keep the previous snapshot's neighbour lists and search only for changes; false: search all "
        "again, with the same result",
    )
    bootstrap: Positive = Field(
        1000, description="resamples of the originals behind each 95 % interval"
    )

    @model_validator(mode="after")
    def _check_ks(self) -> Self:
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
    refit_share: Share = Field(
        0.1,
        description="new artworks are placed on the map of before; a map is fitted anew when the share of "
        "its artworks that are new and the share of its fitted ones that are gone add up to this; "
        "0: each time",
    )

    @model_validator(mode="after")
    def _check_methods(self) -> Self:
        if len(set(self.methods)) != len(self.methods):
            raise ValueError("methods: a method is named twice")
        return self


class ReportConfig(Section):
    """The HTML report."""

    examples: Positive = Field(
        4, description="originals shown with their nearest images, per backbone"
    )

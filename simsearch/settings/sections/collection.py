"""Settings of the collection: its catalog, its images, and the copies made of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from simsearch.images.limits import Limits
from simsearch.images.suites import STUDY_PROFILES, SUITES
from simsearch.settings.sections.section import Positive, Section


class DownloadConfig(Section):
    """How `ingest` fetches images and IIIF documents from the web."""

    enabled: bool = Field(False, description="download images that are not stored yet")
    concurrency: Positive = Field(8, description="requests in flight at once")
    per_second: Annotated[float, Field(gt=0)] = Field(
        10.0, description="requests started per second at one host, at most"
    )
    attempts: Positive = Field(4, description="tries per image, with exponential backoff")
    timeout: Annotated[float, Field(gt=0)] = Field(
        30.0, description="seconds per request, and one more for each 16 KiB of its response"
    )
    max_bytes: Positive = Field(64 * 2**20, description="larger responses are rejected")
    robots: bool = Field(True, description="follow each host's robots.txt")
    contact: str | None = Field(
        None, description="your address, sent to the hosts so that they can write to you"
    )
    check_again_days: Annotated[float, Field(ge=0)] = Field(
        7.0,
        description="days after which a host is asked again whether a stored image has changed; 0: each time",
    )
    private_networks: bool = Field(
        False, description="fetch from addresses of private networks and of this machine too"
    )


def _check_delimiter(delimiter: str) -> str:
    """Check the character that separates cells. Letters, digits, quotes and line ends are parts of cells,
    and the reader of tables takes only ASCII."""
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter.isalnum():
        raise ValueError("one ASCII character that is no letter and no digit, such as ';' or '|'")
    if delimiter in '\0\r\n"':
        raise ValueError("a quote or a line end separates no cells; give one such as ';' or '|'")
    return delimiter


class CatalogConfig(Section):
    """Where the artworks' metadata and images lie."""

    reader: str = Field("generated", description="a kind of collection, or a museum's name")
    source: str | None = Field(
        None,
        description="URI of the folder, table, Parquet shards (data/*.parquet) or IIIF collection; null: if the reader needs none",
    )
    images: str | None = Field(
        None,
        description="folder or web address that relative image names start from; null: the source's folder",
    )
    size: Positive = Field(60, description="artworks to generate (reader: generated)")
    columns: dict[str, str | tuple[str, ...]] = Field(
        default_factory=dict,
        description="catalog column: the table's column or path, or several, of which the first filled one counts (reader: table)",
    )
    encoding: str | None = Field(
        None, description="the table's text encoding, such as cp1250; null: detected"
    )
    delimiter: Annotated[str, AfterValidator(_check_delimiter)] | None = Field(
        None, description="separator of the table's cells, such as ';'; null: detected"
    )
    placeholder_artworks: Annotated[int, Field(ge=2)] | None = Field(
        20,
        description="a picture that at least this many artworks share (“no image available”) is left out of neighbours; null: no picture is",
    )
    iiif_pixels: Positive = Field(
        1024, description="longest side at which a IIIF server is asked for images (reader: iiif)"
    )
    canvases: Literal["first", "all"] = Field(
        "first", description="of a IIIF manifest: its first image, or each as an artwork"
    )
    sample: Positive | None = Field(
        None, description="artworks of a random sample to keep; null: all"
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
        4 * 2**30, description="bytes of memory that decoding one image may take"
    )
    background: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")] = Field(
        "#ffffff", description="colour behind transparent pixels"
    )

    @property
    def limits(self) -> Limits:
        return Limits(**self.model_dump())


class PerturbationsConfig(Section):
    """Which perturbed copies are made of which originals."""

    suite: str | None = Field(
        "study-2018",
        description="a named set of profiles; see `simsearch perturbations`; null where `profiles` is given",
    )
    profiles: tuple[str, ...] = Field(
        STUDY_PROFILES,
        description="profiles from `simsearch perturbations`, in place of a suite; empty: no copies; null: the suite's",
    )
    originals: Positive | None = Field(
        None, description="originals of which copies are made; null: all"
    )
    reencode_jpeg: bool = Field(
        True, description="save each copy as JPEG and read it again, as the study did"
    )
    side: Annotated[int, Field(ge=256)] | None = Field(
        1024,
        description="larger pictures are scaled down to this longer side first, originals too; null: full size, as the study did",
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_profiles(cls, values: Any) -> Any:
        """Take a suite or a list of profiles; both only if they mean the same profiles."""
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

    @field_validator("suite")
    @classmethod
    def _check_suite(cls, suite: str | None) -> str | None:
        if suite is not None and suite not in SUITES:
            raise ValueError(f"no suite of that name; there are: {', '.join(SUITES)}")
        return suite

    @model_validator(mode="after")
    def _check_profiles(self) -> Self:
        if len(set(self.profiles)) != len(self.profiles):
            raise ValueError("profiles: a profile is named twice")
        return self

"""All encoders: a dict of families, to which other packages can add.

A package adds a family by an entry point of the group `simsearch.encoders`, whose name is the family's and
whose object is a `simsearch.encoders.encoder.Family`. Code comes only from installed packages, never from
a URI.
"""

from __future__ import annotations

from collections.abc import Collection
from importlib.metadata import entry_points

from simsearch.encoders.backbones import efficientnet_lite, onnx, open_clip, sscd, timm, torchvision
from simsearch.encoders.encoder import Family, Specification
from simsearch.errors import UnknownNameError, UsageError
from simsearch.settings.sections.operation import StorageConfig

GROUP = "simsearch.encoders"

# Families whose encoders are named without a prefix. Those of other families are `<family>:<model>`.
# torchvision comes last: its list takes seconds to import.
PLAIN: dict[str, Family] = {
    family.name: family for family in (efficientnet_lite.FAMILY, sscd.FAMILY, torchvision.FAMILY)
}
PREFIXED: dict[str, Family] = {
    family.name: family for family in (onnx.FAMILY, timm.FAMILY, open_clip.FAMILY)
}


def prefixed_families() -> dict[str, Family]:
    """The families whose encoders are named `<family>:<model>`, including those of other packages.

    Raises UsageError if another package's family has the name of one of this package's, or cannot be
    loaded.
    """
    families = dict(PREFIXED)
    for point in entry_points(group=GROUP):
        package = point.dist.name if point.dist else point.value
        if point.name in {**PLAIN, **families}:
            raise UsageError(
                f"{package}: adds encoders {point.name!r}, which are there already; uninstall it or "
                "have its entry point renamed"
            )
        try:
            families[point.name] = point.load()
        except (ImportError, AttributeError) as error:
            raise UsageError(
                f"{package}: its encoders {point.name!r} cannot be loaded ({error}); install it again "
                "or uninstall it"
            ) from None
    return families


def encoder_names() -> list[str]:
    """The encoders named without a prefix, sorted."""
    return sorted(name for family in PLAIN.values() for name in family.names())


def get_encoder(name: str, config: StorageConfig, learned: Collection[str] = ()) -> Specification:
    """The encoder of that name. Raises UnknownNameError, which lists the known ones and those `learned` from
    a collection, and UsageError if the family's package is not installed or the description is wrong."""
    prefix, colon, _ = name.partition(":")
    if colon:
        families = prefixed_families()
        if prefix not in families:
            raise UnknownNameError("family of encoders", prefix, families)
        return families[prefix].specification(name, config)
    for family in PLAIN.values():
        if name in family.names():
            return family.specification(name, config)
    raise UnknownNameError(
        "encoder", name, [*learned, *encoder_names(), *(f"{name}:…" for name in PREFIXED)]
    )

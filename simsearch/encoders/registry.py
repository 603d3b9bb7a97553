"""Which encoders there are: a dict of families."""

from __future__ import annotations

from simsearch.config import StorageConfig
from simsearch.encoders.backbones import efficientnet_lite, torchvision
from simsearch.encoders.encoder import Family, Specification
from simsearch.errors import UnknownNameError

FAMILIES: dict[str, Family] = {
    family.name: family for family in (torchvision.FAMILY, efficientnet_lite.FAMILY)
}


def encoder_names() -> list[str]:
    """Every name that can be listed, sorted."""
    return sorted(name for family in FAMILIES.values() for name in family.names())


def get_encoder(name: str, config: StorageConfig) -> Specification:
    """The encoder of that name. Raises UnknownNameError listing those there are."""
    for family in FAMILIES.values():
        if name in family.names():
            return family.specification(name, config)
    raise UnknownNameError("encoder", name, encoder_names())

"""`simsearch encoders`: the list of encoders."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from simsearch.encoders.backbones.learned import encoder_of
from simsearch.encoders.registry import encoder_names, prefixed_families
from simsearch.errors import UnknownNameError, UsageError
from simsearch.settings.config import Config
from simsearch.settings.extras import EXTRA_OF, install_line, is_installed


def list_lines(config: Config, like: str) -> Iterator[str]:
    """A line for each encoder whose name fits the pattern `like`. '' lists the encoders named without a
    family, those learned from the collection, and how to list the others. Raises UnknownNameError if no
    name fits."""
    families = prefixed_families()
    names = [*config.autoencoders, *encoder_names()]
    if like:
        names += [name for family in families.values() for name in family.names()]
        names = [name for name in names if fnmatchcase(name, like)]
        if not names:
            raise UnknownNameError("encoder like", like, [f"{family}:…" for family in families])
    for name in names:
        yield _line(config, name)
    if like:
        return
    yield ""
    for family in families.values():
        yield f"{family.name}:…  {_family_line(family.name, len(family.names()))}"


def _line(config: Config, name: str) -> str:
    try:
        encoder = encoder_of(config, name)
    except UsageError as error:
        return f"{name:24} not available: {str(error).removeprefix(f'{name}: ')}"
    absent = "learned by the run" if name in config.autoencoders else "weights not here"
    place = encoder.at_hand(config.extract.weights, config.storage) or absent
    return f"{name:24} {encoder.dimension:>6}  {place:48}  {encoder.licence:14}  {encoder.layer}"


def _family_line(family: str, count: int) -> str:
    extra = EXTRA_OF.get(family)
    if extra is not None and not is_installed(extra):
        return install_line(extra)
    if not count:
        return f"{family}:<URI>"
    return f"{count} encoders, listed by --like '{family}:*'"

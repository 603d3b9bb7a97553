"""Image identity: an original is its artwork's id, a perturbed copy is `artwork_id--profile`."""

SEPARATOR = "--"


def image_id(artwork_id: str, profile: str | None) -> str:
    """The id of an artwork's original (`profile` None) or of its perturbed copy."""
    return artwork_id if profile is None else f"{artwork_id}{SEPARATOR}{profile}"


def split_image_id(identifier: str, profiles: frozenset[str]) -> tuple[str, str | None]:
    """The inverse of `image_id`, given the profiles in use.

    An artwork's own id may contain the separator; only a known profile after the last one counts.
    """
    artwork_id, separator, profile = identifier.rpartition(SEPARATOR)
    if separator and artwork_id and profile in profiles:
        return artwork_id, profile
    return identifier, None

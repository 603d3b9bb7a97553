"""Image identity: an original is its artwork's id, a perturbed copy is `artwork_id--profile`."""

SEPARATOR = "--"


def image_id(artwork_id: str, profile: str | None) -> str:
    """The id of an artwork's original (`profile` None) or of its perturbed copy."""
    return artwork_id if profile is None else f"{artwork_id}{SEPARATOR}{profile}"

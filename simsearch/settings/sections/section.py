"""The base of every section of the settings, and the kinds of numbers that sections share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[int, Field(gt=0)]

Share = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """A group of settings. It cannot be changed once made, and refuses names that it does not have."""

    # A column, a folder or a host may be called 2026.
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

"""The JSON API as a list to read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from simsearch.explorer.pages.page import Page


@dataclass(frozen=True)
class ApiParameter:
    """A parameter of an operation; `default` is None where there is none."""

    name: str
    kind: str
    required: bool
    default: str | int | float | bool | None
    description: str


@dataclass(frozen=True)
class ApiOperation:
    """A method and path of the API; `summary` has names in backticks."""

    method: str
    path: str
    summary: str
    parameters: list[ApiParameter]


@dataclass(frozen=True)
class ApiPage(Page):
    template: ClassVar[str] = "api"

    operations: list[ApiOperation]


def api_page(description: Mapping[str, Any]) -> ApiPage:
    """The page of an OpenAPI description."""
    return ApiPage(
        [
            ApiOperation(
                method.upper(),
                path,
                operation.get("description") or operation.get("summary", ""),
                [_parameter(parameter) for parameter in operation.get("parameters", ())],
            )
            for path, methods in description["paths"].items()
            for method, operation in methods.items()
        ]
    )


def _parameter(parameter: Mapping[str, Any]) -> ApiParameter:
    schema = parameter["schema"]
    kinds = [option.get("type") for option in schema.get("anyOf", [schema])]
    return ApiParameter(
        name=parameter["name"],
        kind=" or ".join(str(kind) for kind in kinds if kind and kind != "null"),
        required=parameter["required"],
        default=schema.get("default"),
        description=parameter.get("description", ""),
    )

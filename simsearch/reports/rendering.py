"""Pages of reports, made of their values."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import jinja2

from simsearch.settings.shown_places import show_place

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def render(template: str, page: DataclassInstance) -> str:
    """The page as HTML. Its template knows each field by the field's name; what comes from outside is
    escaped."""
    values = {field.name: getattr(page, field.name) for field in fields(page)}
    return environment_of_reports().get_template(f"{template}.html.j2").render(values)


def environment_of_reports() -> jinja2.Environment:
    """Jinja with the reports' templates; a value that a page does not hold is an error."""
    loader = jinja2.PackageLoader("simsearch.reports")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["place"] = show_place
    return environment

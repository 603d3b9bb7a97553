"""Each page has a file and a class of its own, which holds what its template shows: no more, no less."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import fields
from pathlib import Path

import pytest

from simsearch.explorer import pages
from simsearch.explorer.pages.page import Page, PagedPage
from simsearch.explorer.pages.site import environment_of_pages
from tests.support.template_names import names_shown

TEMPLATES = Path(pages.__file__).parents[1] / "templates"
# What `Site.render` adds to the values of a page, and the macros that `base` imports.
OF_EVERY_PAGE = {"parts", "view", "to", "warnings", "version", "page_name", "notices"}


def page_classes() -> dict[str, type[Page]]:
    for module in pkgutil.walk_packages(pages.__path__, f"{pages.__name__}."):
        importlib.import_module(module.name)
    classes = [*Page.__subclasses__(), *PagedPage.__subclasses__()]
    return {page.template: page for page in classes if page is not PagedPage}


def test_each_template_of_a_page_has_a_class_in_a_file_of_its_name() -> None:
    names = {
        str(path.relative_to(TEMPLATES)).removesuffix(".html.j2")
        for path in TEMPLATES.rglob("*.j2")
        if path.stem != "parts.html"
    } - {"base"}
    classes = page_classes()
    assert set(classes) == names
    for name, page in classes.items():
        module = page.__module__.removeprefix(f"{pages.__name__}.")
        assert module == name.replace("/", ".").replace("-", "_")


@pytest.mark.parametrize("template", page_classes())
def test_a_template_shows_the_values_of_its_class_and_nothing_else(template: str) -> None:
    values = {field.name for field in fields(page_classes()[template])}
    assert names_shown(environment_of_pages(), f"{template}.html.j2") - OF_EVERY_PAGE == values

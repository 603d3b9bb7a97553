"""A report holds what its template shows: no more, no less."""

from __future__ import annotations

from dataclasses import fields

import pytest

from simsearch.reports.experiment import ExperimentPage
from simsearch.reports.rendering import environment_of_reports
from simsearch.reports.report import ReportPage
from tests.support.template_names import names_shown


@pytest.mark.parametrize(
    ("template", "page"), [("report", ReportPage), ("experiment", ExperimentPage)]
)
def test_a_template_shows_the_values_of_its_class_and_nothing_else(
    template: str, page: type[ReportPage | ExperimentPage]
) -> None:
    values = {field.name for field in fields(page)}
    assert names_shown(environment_of_reports(), f"{template}.html.j2") == values

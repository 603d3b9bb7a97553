"""The output of `simsearch check` on a terminal."""

from __future__ import annotations

from rich.table import Table

from simsearch.cli.terminal import cell, show, show_table
from simsearch.runs.checks.findings import Checked

MARKS = {"right": ("✓", "green"), "wrong": ("✗", "bold red"), "note": ("·", "yellow")}


def print_findings(checked: Checked) -> None:
    """Print a table of the findings with advice, then one line that sums them up."""
    table = Table("", "what", "found", "to do", show_lines=False, box=None, pad_edge=False)
    for finding in checked.findings:
        mark, style = MARKS[finding.state]
        table.add_row(
            cell(mark, style),
            cell(finding.subject),
            cell(finding.statement),
            cell(finding.advice),
        )
    show_table(table)
    wrong = sum(finding.state == "wrong" for finding in checked.findings)
    show(f"\n{wrong} thing(s) to mend: the run would fail" if wrong else "\nthe run can start")

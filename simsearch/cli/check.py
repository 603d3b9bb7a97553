"""The output of `simsearch check` on a terminal."""

from __future__ import annotations

from rich.table import Table

from simsearch.cli.terminal import cell, show, show_table
from simsearch.runs.checks.report import CheckReport

MARKS = {"right": ("✓", "green"), "wrong": ("✗", "bold red"), "note": ("·", "yellow")}


def print_report(checked: CheckReport) -> None:
    """Print a table of the lines with advice, then one line that sums them up."""
    table = Table("", "what", "found", "to do", show_lines=False, box=None, pad_edge=False)
    for line in checked.lines:
        mark, style = MARKS[line.state]
        table.add_row(
            cell(mark, style),
            cell(line.subject),
            cell(line.statement),
            cell(line.advice),
        )
    show_table(table)
    wrong = sum(line.state == "wrong" for line in checked.lines)
    show(f"\n{wrong} thing(s) to mend: the run would fail" if wrong else "\nthe run can start")

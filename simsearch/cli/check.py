"""The answer of `simsearch check` on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from simsearch.runs.checks.findings import Checked

MARKS = {"right": ("✓", "green"), "wrong": ("✗", "bold red"), "note": ("·", "yellow")}


def print_checked(checked: Checked) -> None:
    """A table of what is right, what is wrong and what to do, then one line that sums it up."""
    table = Table("", "what", "found", "to do", show_lines=False, box=None, pad_edge=False)
    for finding in checked.findings:
        mark, style = MARKS[finding.state]
        # Text, not markup: names and paths come from the collection.
        cells = (finding.subject, _plain(finding.statement), _plain(finding.advice))
        table.add_row(Text(mark, style=style), *(Text(cell, overflow="fold") for cell in cells))
    console = Console(highlight=False)
    console.print(table)
    wrong = sum(finding.state == "wrong" for finding in checked.findings)
    console.print(
        f"\n{wrong} thing(s) to mend: the run would fail" if wrong else "\nthe run can start"
    )


def _plain(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())

"""The only way to the terminal, where all text from data is made printable.

A title, an id or a file's name is a stranger's text. Printed unchanged, it could move the cursor, change
colours, write a clipboard, or break a line in two.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import unicodedata
from typing import Any, NoReturn

from rich.console import Console
from rich.text import Text

REPLACEMENT = "\ufffd"
UNSEEN = "Cf"  # Unicode's category of characters such as those that turn the direction of writing


class ClosedPipeError(Exception):
    """The reader of the output has gone, as `head` does when it has enough."""


class _Console(Console):
    def on_broken_pipe(self) -> NoReturn:
        raise ClosedPipeError


def show(text: str = "") -> None:
    """Print lines of text. Raises ClosedPipeError."""
    try:
        print("\n".join(printable(line) for line in text.split("\n")), flush=True)
    except BrokenPipeError:
        raise ClosedPipeError from None


def show_error(text: str) -> None:
    """Print lines of text on the standard error."""
    print("\n".join(printable(line) for line in text.split("\n")), file=sys.stderr)


def show_json(value: Any) -> None:
    """Print a value as JSON. Unprintable characters are escaped, so that the value stays the same."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    show("".join(map(_json_escape, text)))


def show_table(table: Any) -> None:
    """Print a Rich table, whose cells are made by `cell`, or another of Rich's drawings."""
    _Console(highlight=False).print(table)


def cell(text: str | None, style: str = "") -> Text:
    """A table's cell. Text from data is no markup there."""
    return Text(printable(text), style=style, overflow="fold")


def printable(text: str | None) -> str:
    """Text on one line, without characters that a terminal obeys.

    Spaces of any kind become plain spaces, control characters become `�`, and invisible characters are left
    out.
    """
    if text is None or (text.isascii() and text.isprintable()):
        return text or ""
    return "".join(map(_make_visible, text))


def _make_visible(letter: str) -> str:
    if letter.isprintable():
        return letter
    if letter.isspace() and letter not in "\x1c\x1d\x1e\x1f":
        return " "
    return "" if unicodedata.category(letter) == UNSEEN else REPLACEMENT


def _json_escape(letter: str) -> str:
    if letter.isprintable() or letter == "\n":
        return letter
    return json.dumps(letter)[1:-1] if letter != "\x7f" else "\\u007f"


class PrintableFormatter(logging.Formatter):
    """Formats log lines with printable data. Only a traceback has several lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (logging's name)
        return printable(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802
        return "\n".join(printable(line) for line in super().formatException(ei).split("\n"))


def accept_any_letter() -> None:
    """Let a terminal of an old encoding show `?` for letters that it lacks, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def close_standard_output() -> None:
    """Discard further output, as its reader has gone."""
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), sys.stdout.fileno())

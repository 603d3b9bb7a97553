"""Large parts of workbooks in XML, read event by event: elements as objects would take eight times as
long."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO
from xml.parsers import expat


def read_events(
    file: IO[bytes],
    part: str,
    *,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None],
    text: Callable[[str], None],
    separator: str | None = None,
) -> None:
    """Call `start` with each element's name and attributes, `end` with its name, `text` with the text
    between. With a `separator`, names are a namespace, the separator and the name in it.

    Raises ValueError, which names the `part`, for a file that is no XML, or that declares entities.
    """

    def refuse_entity(*_: object) -> None:
        raise ValueError(f"a {part} that declares entities of XML")

    parser = expat.ParserCreate(namespace_separator=separator)
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = text
    parser.EntityDeclHandler = refuse_entity
    try:
        parser.ParseFile(file)
    except expat.ExpatError as error:
        raise ValueError(f"a {part} that is no XML: {error}") from None

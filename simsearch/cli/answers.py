"""What `simsearch verdicts` and `simsearch judgements` share: the root, files to write, tables to read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from simsearch.cli.terminal import printable, show_error
from simsearch.errors import UsageError
from simsearch.settings.config import Config
from simsearch.snapshots.root import require_root
from simsearch.storage.storage import Storage, root_of

if TYPE_CHECKING:
    from simsearch.catalog.notes import Notes
    from simsearch.catalog.records import Records
    from simsearch.reading.verdict_files import Imported


def stored_root(config: Config) -> Storage:
    """The root of the settings. Raises NotFoundError if there is none yet."""
    storage = root_of(config)
    require_root(storage)
    return storage


def check_ending(file: Path, endings: Sequence[str]) -> str:
    """The ending of a file's name in small letters. Raises UsageError for one that is not among `endings`."""
    if file.suffix.lower() not in endings:
        raise UsageError(f"{file}: name a file that ends with {' or '.join(endings)}")
    return file.suffix.lower()


def write_file(file: Path, data: bytes) -> None:
    """Write a local file. Raises UsageError if it cannot be written."""
    try:
        file.write_bytes(data)
    except OSError as error:
        raise UsageError(f"{file}: cannot be written: {error.strerror}") from None


def import_table(
    file: str, config: Config, store: Callable[[Records, Notes], Imported]
) -> Imported:
    """Have `store` take in the table in a file, and say which rows were left out and why."""
    from simsearch.catalog.notes import Notes
    from simsearch.catalog.records import load_records

    notes = Notes()
    # The catalog's own layout, such as a workbook's sheet, says nothing of this table.
    records = load_records(file, Config().catalog, config.storage, notes)
    done = store(records, notes)
    for line in notes.summary():
        show_error(printable(line))
    return done

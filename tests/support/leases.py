"""Leases that somebody else holds."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from simsearch.runs.operations import lease
from simsearch.runs.operations.lease import LeaseRecord
from simsearch.storage.storage import Storage


def write_foreign(storage: Storage, **changes: Any) -> LeaseRecord:
    """A lease that a process on another machine holds."""
    record = LeaseRecord(
        token=7,
        holder="somebody",
        host="elsewhere",
        machine="another boot",
        pid=1,
        process_started="1",
        expires=time.time() + 60,
    )
    record = replace(record, **changes)
    storage.write_bytes(lease.PATH, record.dump())
    return record

"""A few vectors are made in this process: starting actors for them takes longer than making them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import torch

from simsearch.extraction.batches import Batch
from simsearch.extraction.stages import Stages, StoredEmbed


def run_in_process(stages: Stages) -> None:
    """Run the stages one after the other, as Ray Data does with a single actor; the number of
    PyTorch's threads is afterwards what it was."""
    threads = torch.get_num_threads()
    try:
        embed = StoredEmbed(**stages.embed)
        made = [
            embed(batch)
            for block in stages.blocks
            for batch in _batches(stages.decode(_columns(block)), stages.batch_size)
        ]
    finally:
        torch.set_num_threads(threads)
    for batch in _batches(_joined(made), stages.shard_rows) if made else ():
        stages.write(batch)


def _columns(block: pa.Table) -> Batch:
    return {name: block.column(name).to_numpy() for name in block.column_names}


def _batches(rows: Batch, size: int) -> Iterator[Batch]:
    count = len(next(iter(rows.values())))
    for start in range(0, count, size):
        yield {name: column[start : start + size] for name, column in rows.items()}


def _joined(batches: Sequence[Batch]) -> Batch:
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}

"""Make a few vectors in this process: starting actors would take longer than making the vectors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import torch

from simsearch.extraction.batches import Batch
from simsearch.extraction.stages import Stages, StoredEmbed

DECODERS = 2  # threads that feed the embedding one; each has a process in which it decodes


def run_in_process(stages: Stages) -> None:
    """Run the stages as Ray Data does with a single actor. Afterwards PyTorch has as many threads as
    before."""
    threads = torch.get_num_threads()
    decoders = ThreadPoolExecutor(DECODERS)
    try:
        decoded = decoders.map(stages.decode, map(_columns, stages.blocks))
        embed = StoredEmbed(**stages.embed)
        made = [embed(batch) for pixels in decoded for batch in _batches(pixels, stages.batch_size)]
    finally:
        decoders.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)
    for batch in _batches(_join(made), stages.shard_rows) if made else ():
        stages.write(batch)


def _columns(block: pa.Table) -> Batch:
    return {name: block.column(name).to_numpy() for name in block.column_names}


def _batches(rows: Batch, size: int) -> Iterator[Batch]:
    count = len(next(iter(rows.values())))
    for start in range(0, count, size):
        yield {name: column[start : start + size] for name, column in rows.items()}


def _join(batches: Sequence[Batch]) -> Batch:
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}

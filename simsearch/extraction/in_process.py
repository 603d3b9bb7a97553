"""Make a few vectors in this process: starting actors would take longer than making the vectors."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import torch

from simsearch.extraction.batches import Batch
from simsearch.extraction.gathering import count_images, cut, gather, join
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
        made = (embed(batch) for pixels in decoded for batch in cut(pixels, stages.batch_size))
        for group in gather(made, count_images, stages.shard_rows):
            for shard in cut(join(group), stages.shard_rows):
                stages.write(shard)
    finally:
        decoders.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)


def _columns(block: pa.Table) -> Batch:
    return {name: block.column(name).to_numpy() for name in block.column_names}

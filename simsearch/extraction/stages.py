"""The stages of one pool as plain functions of batches: fetch and decode, embed, write to shards."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa

from simsearch.catalog.undownloaded import Undownloaded
from simsearch.errors import NodeError
from simsearch.extraction.batches import Batch, Counter
from simsearch.extraction.decode import DecodeSettings, decode_batch
from simsearch.extraction.embed import Embed, EmbedSettings
from simsearch.extraction.needs import Needs, Orphans
from simsearch.extraction.networks import PreparedNetwork
from simsearch.extraction.placement import ActorPool, Device
from simsearch.extraction.stored_weights import StoredWeights
from simsearch.extraction.trial import Trial
from simsearch.extraction.write import write_batch
from simsearch.features.points import StoredPoints
from simsearch.images.preprocessing import Preprocessing
from simsearch.images.thumbnails import sizes_of
from simsearch.runtime.installation import describe_own_installation, digest_of
from simsearch.settings.config import Config
from simsearch.settings.sections.extraction import ExtractConfig
from simsearch.storage.storage import Storage

BATCH_CPU = 16

# Images per second on an H100 in batches of 128, 256 and 512, bare float16: VGG16 7,943, 7,954, 7,976;
# ResNet152 5,921, 6,344, 6,711; DenseNet201 4,828, 5,588, 5,919. A block of 512 would not fit BLOCK_BYTES.
BATCH_GPU = 256

# Ray Data splits an output block above 128 MiB. The pixels of a decoded block stay well below that.
BLOCK_BYTES = 48 * 2**20

BLOCKS_PER_ACTOR = 32

# Most images of a block on CPUs, unless whole batches of whole artworks are more. A killed run loses the
# blocks on which actors work. Two networks on a busy machine made 0.45 images/s an actor: 64 images took
# 2.4 minutes.
BLOCK_IMAGES_CPU = 64


@dataclass(frozen=True)
class Todo:
    """The vectors of some networks that are missing, and those of pictures that no source is known to have.
    `points` (None: nowhere) is where the pictures' local features are stored."""

    needs: Needs
    orphans: Orphans
    networks: tuple[PreparedNetwork, ...]
    points: StoredPoints | None = None

    def of(self, encoders: Sequence[str]) -> Todo:
        """The part for the spaces of some encoders."""
        places = [
            place
            for place, network in enumerate(self.networks)
            if network.space.encoder in encoders
        ]
        return Todo(
            self.needs.of_spaces(places),
            self.orphans.of_spaces(places),
            tuple(self.networks[place] for place in places),
            self.points,
        )


class StoredEmbed(Embed):
    """An `Embed` that reads its weights from the root, or from a folder of the node if they are there
    already. With a `trial` it raises NodeError if its results differ from those of the run's first
    process."""

    def __init__(
        self, *, weights: Sequence[StoredWeights], trial: Trial | None = None, **settings: Any
    ) -> None:
        super().__init__(weights=[stored.load() for stored in weights], **settings)
        self._refusal = self._try(trial) if trial is not None else None

    def __call__(self, batch: Batch) -> Batch:
        if self._refusal is not None:
            raise NodeError(self._refusal)
        return super().__call__(batch)

    def _try(self, trial: Trial) -> str | None:
        """Embed the trial picture in every space. Returns the fault of the vectors in words, None if there
        is none."""
        for place, network in enumerate(self._settings):
            vector = self.embed(place, trial.pixels(network.preprocessing))[0]
            if problem := self._counter.compare(network.space, vector):
                return problem
        return None


@dataclass(frozen=True)
class Stages:
    """The work of one pool: `decode` the blocks of catalog rows, embed `batch_size` images at once by a
    `StoredEmbed` with the arguments `embed`, `write` up to `shard_rows` vectors to a shard."""

    blocks: list[pa.Table]
    decode: Callable[[Batch], Batch]
    embed: Mapping[str, Any]
    write: Callable[[Batch], Batch]
    batch_size: int
    shard_rows: int


def pool_stages(
    config: Config, storage: Storage, todo: Todo, pool: ActorPool, counter: Counter
) -> Stages:
    """The stages that compute the missing vectors of a pool's networks."""
    geometries, columns = _geometries(todo.networks)
    settings = DecodeSettings(
        storage=storage,
        remake=config.remake(),
        profiles=config.perturbations.profiles,
        preprocessings=geometries,
        orphans=todo.orphans,
        thumbnails=sizes_of(config.perturbations.side),
        undownloaded=Undownloaded.read(
            storage, config.catalog.download, todo.needs.rows["image_uri"].to_pylist()
        ),
        points=todo.points,
    )
    batch_size = batch_size_of(config.extract, pool.device)
    images = [int(count) for count in todo.needs.flags.any(axis=2).sum(axis=1)]
    size = _images_per_block(settings, batch_size, sum(images), pool)
    spaces = [network.space for network in todo.networks]
    return Stages(
        blocks=list(_blocks(todo.needs.table(), images, size)),
        decode=partial(decode_batch, settings=settings, counter=counter),
        embed={
            **embed_arguments(todo.networks, columns, pool, batch_size, counter),
            "trial": None if config.ray.cluster is None else Trial.of(settings.remake.limits),
        },
        write=partial(
            write_batch,
            storage=storage,
            spaces=spaces,
            counter=counter,
            made_by=digest_of(describe_own_installation()),
        ),
        batch_size=batch_size,
        shard_rows=config.extract.shard_rows,
    )


def batch_size_of(extract: ExtractConfig, device: Device) -> int:
    """Images per forward pass."""
    return extract.batch_size or (BATCH_GPU if device == "cuda" else BATCH_CPU)


def embed_arguments(
    networks: Sequence[PreparedNetwork],
    columns: Sequence[str],
    pool: ActorPool,
    batch_size: int,
    counter: Counter,
) -> dict[str, Any]:
    """The arguments of a `StoredEmbed` for these networks. `columns` are their columns of pixels."""
    return {
        "settings": [
            EmbedSettings(
                place, columns[place], network.space, network.encoder, network.preprocessing
            )
            for place, network in enumerate(networks)
        ],
        "weights": [network.weights for network in networks],
        "device": pool.device,
        "threads": pool.threads,
        "batch_size": batch_size,
        "drop": sorted(set(columns)),
        "counter": counter,
    }


def _geometries(
    networks: Sequence[PreparedNetwork],
) -> tuple[tuple[Preprocessing, ...], list[str]]:
    """A preprocessing for each distinct geometry, and each network's column of pixels."""
    distinct: dict[Any, Preprocessing] = {}
    for network in networks:
        distinct.setdefault(network.preprocessing.geometry, network.preprocessing)
    order = list(distinct)
    columns = [f"pixels_{order.index(network.preprocessing.geometry)}" for network in networks]
    return tuple(distinct.values()), columns


def _images_per_block(
    settings: DecodeSettings, batch_size: int, images: int, pool: ActorPool
) -> int:
    """The number of images of a block: whole batches of whole artworks, if they fit a block's memory. A
    block is small enough for each actor to get several: the actor with the last block keeps the others
    waiting."""
    image_bytes = sum(
        preprocessing.crop * preprocessing.crop * 3 for preprocessing in settings.preprocessings
    )
    fit = max(1, BLOCK_BYTES // image_bytes)
    wanted = min(fit, images // (BLOCKS_PER_ACTOR * pool.actors))
    if pool.device == "cpu":
        wanted = min(wanted, BLOCK_IMAGES_CPU)
    for unit in (math.lcm(batch_size, 1 + len(settings.profiles)), batch_size):
        if fit >= unit:
            return max(unit, wanted // unit * unit)
    return fit


def _blocks(rows: pa.Table, images: Sequence[int], images_per_block: int) -> Iterator[pa.Table]:
    """Cut `rows` into blocks of whole artworks with at most `images_per_block` images each. A few images
    beyond whole batches would cost a forward pass of their own."""
    start = held = 0
    for row, count in enumerate(images):
        if held and held + count > images_per_block:
            yield rows.slice(start, row - start)
            start, held = row, 0
        held += count
    if start < rows.num_rows:
        yield rows.slice(start)

"""A snapshot's images as numbers, with its near-duplicates as people overruled geometry."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from simsearch.judgements.verdicts import overrule
from simsearch.neighbours.numbering import NumberedImages, listed_pairs
from simsearch.snapshots.snapshot import Snapshot


def number_images(snapshot: Snapshot, images: pa.Table, profiles: Sequence[str]) -> NumberedImages:
    """The snapshot's `images` (schemas.IMAGES), numbered as scores treat them. Raises NotFoundError before
    the neighbours are whole."""
    numbered = NumberedImages.of(images, profiles)
    originals = images.take(pa.array(numbered.originals))
    near = snapshot.storage.read_table(snapshot.near_duplicates_path)
    verdicts = snapshot.storage.read_table(snapshot.verdicts_path)
    pairs = listed_pairs(near, originals["artwork_id"].to_numpy())
    return numbered.with_near(overrule(pairs, originals["content_hash"], verdicts))

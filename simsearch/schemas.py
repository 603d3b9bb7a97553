"""The data contracts: one Arrow schema per table, used by its writer, its readers and the tests.

No column is called by a reserved word of SQL.
"""

import pyarrow as pa
import pyarrow.compute as pc

CATALOG = pa.schema(
    [
        pa.field("artwork_id", pa.string(), nullable=False),
        pa.field("title", pa.string()),
        pa.field("artists", pa.list_(pa.string())),
        pa.field("date", pa.string()),
        pa.field("medium", pa.string()),
        pa.field("dimensions", pa.string()),
        pa.field("department", pa.string()),
        pa.field("classification", pa.string()),
        pa.field("subjects", pa.list_(pa.string())),
        pa.field("credit", pa.string()),
        # The terms of use of the image in its publisher's form: a licence's address or words.
        pa.field("rights", pa.string()),
        # Words that have to be shown beside the image (IIIF requiredStatement, attribution).
        pa.field("attribution", pa.string()),
        pa.field("url", pa.string()),
        pa.field("image_uri", pa.string()),
        # The store's ETag if it has one, else size and modification time. It changes with the file.
        pa.field("etag", pa.string()),
    ]
)

REJECTS = pa.schema(
    [
        pa.field("artwork_id", pa.string(), nullable=False),
        pa.field("image_uri", pa.string()),
        pa.field("stage", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("detail", pa.string()),
        pa.field("etag", pa.string()),
    ]
)

# The digest of an image's bytes when they were last read, which spares the next run the download.
SOURCES = pa.schema(
    [
        pa.field("image_uri", pa.string(), nullable=False),
        pa.field("etag", pa.string()),
        pa.field("content_hash", pa.string(), nullable=False),
    ]
)

# The last request for an image on the web. `checked` is in seconds since 1970, `problem` says why the
# request failed, `lasting` whether it would fail on another day too.
DOWNLOADS = pa.schema(
    [
        pa.field("name", pa.string(), nullable=False),
        pa.field("url", pa.string(), nullable=False),
        pa.field("file", pa.string()),
        pa.field("etag", pa.string()),
        pa.field("last_modified", pa.string()),
        pa.field("checked", pa.float64(), nullable=False),
        pa.field("lasting", pa.bool_()),
        pa.field("problem", pa.string()),
    ]
)

# The parts of IIIF documents that are used. The next request fetches a document only if it changed.
WEB_DOCUMENTS = pa.schema(
    [
        pa.field("url", pa.string(), nullable=False),
        pa.field("etag", pa.string()),
        pa.field("last_modified", pa.string()),
        pa.field("checked", pa.float64(), nullable=False),
        pa.field("content", pa.string(), nullable=False),
    ]
)

NEIGHBOURS = pa.schema(
    [
        pa.field("space", pa.string(), nullable=False),
        # "exact" or "annoy" among all images; "originals" by exact search among the originals alone
        pa.field("search", pa.string(), nullable=False),
        pa.field("query_id", pa.string(), nullable=False),
        pa.field("rank", pa.int32(), nullable=False),
        pa.field("neighbour_id", pa.string(), nullable=False),
        # Euclidean, between the vectors scaled to length 1: √(2 − 2·cosine), 0 to 2
        pa.field("distance", pa.float32(), nullable=False),
    ]
)

METRICS = pa.schema(
    [
        pa.field("space", pa.string(), nullable=False),
        # "exact", or "annoy": of the neighbours that the index finds, as many as a user is shown
        pa.field("search", pa.string(), nullable=False),
        # "all", a kind of perturbation, a profile; a label or the other space (neighbour quality)
        pa.field("scope", pa.string(), nullable=False),
        pa.field("k", pa.int32(), nullable=False),
        pa.field("metric", pa.string(), nullable=False),
        pa.field("mean", pa.float64(), nullable=False),
        pa.field("std", pa.float64(), nullable=False),
        pa.field("ci_low", pa.float64(), nullable=False),
        pa.field("ci_high", pa.float64(), nullable=False),
        pa.field("ceiling", pa.float64(), nullable=False),
        pa.field("n", pa.int64(), nullable=False),
    ]
)

# The scores of single originals, whose means are in METRICS for "all" and for kinds.
SCORES = pa.schema(
    [
        pa.field("space", pa.string(), nullable=False),
        pa.field("search", pa.string(), nullable=False),
        pa.field("scope", pa.string(), nullable=False),
        pa.field("k", pa.int32(), nullable=False),
        pa.field("metric", pa.string(), nullable=False),
        pa.field("artwork_id", pa.string(), nullable=False),
        pa.field("value", pa.float64(), nullable=False),
    ]
)

# Paired tests between spaces over the same originals. `p_holm` is corrected for all tests of a search.
COMPARISONS = pa.schema(
    [
        pa.field("search", pa.string(), nullable=False),
        pa.field("scope", pa.string(), nullable=False),
        pa.field("k", pa.int32(), nullable=False),
        pa.field("metric", pa.string(), nullable=False),
        pa.field("first", pa.string(), nullable=False),
        pa.field("second", pa.string(), nullable=False),
        pa.field("difference", pa.float64(), nullable=False),  # mean of first − second
        pa.field("ci_low", pa.float64(), nullable=False),
        pa.field("ci_high", pa.float64(), nullable=False),
        pa.field("p_value", pa.float64(), nullable=False),
        pa.field("p_holm", pa.float64(), nullable=False),
        pa.field("n", pa.int64(), nullable=False),
    ]
)

# Paired tests of an experiment; `first` and `second` are "<space>, <setting>".
EXPERIMENT_TESTS = pa.schema(
    [
        pa.field("compared", pa.string(), nullable=False),  # "spaces" or "settings"
        pa.field("k", pa.int32(), nullable=False),
        pa.field("metric", pa.string(), nullable=False),
        pa.field("first", pa.string(), nullable=False),
        pa.field("second", pa.string(), nullable=False),
        pa.field("difference", pa.float64(), nullable=False),  # mean of first − second
        pa.field("ci_low", pa.float64(), nullable=False),
        pa.field("ci_high", pa.float64(), nullable=False),
        pa.field("p_value", pa.float64(), nullable=False),
        pa.field("p_holm", pa.float64(), nullable=False),
        pa.field("n", pa.int64(), nullable=False),
    ]
)

PICTURE_SIZE = 256  # pixels of the long side of a picture in which geometry measures
BOX = pa.list_(pa.float32(), 4)  # left, top, width and height, in such pixels

# Pairs of artworks whose pictures agree. Two with the same file agree without geometry.
NEAR_DUPLICATES = pa.schema(
    [
        pa.field("artwork_id", pa.string(), nullable=False),
        pa.field("other_id", pa.string(), nullable=False),
        pa.field("relation", pa.string(), nullable=False),  # SAME_FILE, or a geometry.Relation
        # Matched points that the transform explains; null for the same file, as all that follows.
        pa.field("inliers", pa.int32()),
        # How many pairs of other works with as much evidence are expected among all compared pairs.
        pa.field("false_alarms", pa.float64()),
        pa.field("mirrored", pa.bool_()),
        # The common region's share of each picture's area, and the BOX around it.
        pa.field("share", pa.float32()),
        pa.field("other_share", pa.float32()),
        pa.field("box", BOX),
        pa.field("other_box", BOX),
        # Row by row, the homography from the first picture to the other, both scaled to PICTURE_SIZE.
        pa.field("transform", pa.list_(pa.float64(), 9)),
    ]
)

SAME_FILE = "same file"
# Relations of two works that do not show the same picture: neither counts as a copy of the other.
OTHER_PICTURES = ("shared detail", "one frame")

# The cost of embedding: images that went through a space's network, and the seconds for which the
# network was busy, as one actor on `device`. Each run that computes vectors adds rows.
TIMINGS = pa.schema(
    [
        pa.field("fingerprint", pa.string(), nullable=False),
        pa.field("device", pa.string(), nullable=False),
        pa.field("images", pa.int64(), nullable=False),
        pa.field("seconds", pa.float64(), nullable=False),
    ]
)

# Which images a snapshot holds, sorted by image_id: row i is item i of every index.
IMAGES = pa.schema(
    [
        pa.field("image_id", pa.string(), nullable=False),
        pa.field("artwork_id", pa.string(), nullable=False),
        pa.field("profile", pa.string()),
        pa.field("content_hash", pa.string(), nullable=False),
    ]
)

# What people said of pairs of pictures: simsearch.judgements.verdicts.Verdict.
VERDICTS = pa.schema(
    [
        pa.field(name, pa.string(), nullable=False)
        for name in ("first_hash", "second_hash", "verdict")
    ]
)

# The artworks that a training saw.
LEARNED_FROM = pa.schema(
    [
        pa.field("artwork_id", pa.string(), nullable=False),
        pa.field("content_hash", pa.string(), nullable=False),
    ]
)

# Where each artwork's original lies on a map, in units of the method. The map was fitted to the
# artworks that are `fitted`. Others came later and were placed on it.
PROJECTION = pa.schema(
    [
        pa.field("image_id", pa.string(), nullable=False),
        pa.field("artwork_id", pa.string(), nullable=False),
        pa.field("x", pa.float32(), nullable=False),
        pa.field("y", pa.float32(), nullable=False),
        pa.field("fitted", pa.bool_(), nullable=False),
    ]
)


def features(dimension: int) -> pa.Schema:
    """Rows of one feature space: `vector` is a FixedSizeList<float32>[dimension]."""
    return pa.schema(
        [
            pa.field("image_id", pa.string(), nullable=False),
            pa.field("artwork_id", pa.string(), nullable=False),
            pa.field("profile", pa.string()),  # null for an original
            pa.field("content_hash", pa.string(), nullable=False),  # of the source bytes
            pa.field("vector", pa.list_(pa.float32(), dimension), nullable=False),
        ]
    )


def neighbour_lists(width: int) -> pa.Schema:
    """A row per original, in the order of its images: simsearch.neighbours.lists.Lists."""
    return pa.schema(
        [
            pa.field("items", pa.list_(pa.int64(), width), nullable=False),
            pa.field("squared", pa.list_(pa.float64(), width), nullable=False),
            pa.field("horizon", pa.float64(), nullable=False),
        ]
    )


def deeper_lists(width: int) -> pa.Schema:
    """A row per list that was searched again: simsearch.neighbours.deeper.Deeper."""
    return pa.schema([pa.field("row", pa.int64(), nullable=False), *annoy_lists(width)]).append(
        pa.field("beyond", pa.int64(), nullable=False)
    )


SEPARATOR = "--"  # no profile's name contains it


def image_id(artwork_id: str, profile: str | None) -> str:
    """The id of an artwork's original (`profile` None) or of its perturbed copy.

    No two images have the same id: if an artwork's id contains the separator, as a copy's does, its
    original's id ends in the separator."""
    if profile is None and SEPARATOR not in artwork_id:
        return artwork_id
    return f"{artwork_id}{SEPARATOR}{profile or ''}"


def image_ids(artwork_ids: pa.ChunkedArray, profile: str | None) -> pa.ChunkedArray:
    """`image_id` of many artworks."""
    copies = pc.binary_join_element_wise(artwork_ids, profile or "", SEPARATOR)
    if profile is not None:
        return copies
    return pc.if_else(pc.match_substring(artwork_ids, SEPARATOR), copies, artwork_ids)


def is_stand_in(image: pa.Table) -> bool:
    """Whether a row of IMAGES only keeps the place of an artwork that was taken down. Artwork id and
    content hash of such a row are the same text. Readers show no stand-in."""
    return bool(image["artwork_id"][0].as_py() == image["content_hash"][0].as_py())


def annoy_lists(width: int) -> pa.Schema:
    """A row per original, in the order of its images: simsearch.indexes.exact.Neighbours."""
    return pa.schema(
        [
            pa.field("items", pa.list_(pa.int64(), width), nullable=False),
            pa.field("distances", pa.list_(pa.float32(), width), nullable=False),
        ]
    )

"""TIFF that Pillow reads wrongly, by tifffile and imagecodecs: more than 8 bits, floating point, planes,
LAB, JPEG 2000 or JPEG XL inside, other inks. Also the choice of the page with the picture."""

from __future__ import annotations

import io
from collections.abc import Mapping
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from simsearch.images.jpeg2000 import MOST_BITS, has_end
from simsearch.images.limits import ImageError
from simsearch.images.orientation import orientation_of
from simsearch.images.samples import CHANNELS, Deep, Samples, Space
from simsearch.images.strips import names_all_parts, numbers_of, page_pixels, refuse_absent_parts
from simsearch.images.ycbcr import rgb_of_ycbcr

# TIFF 6.0 and its supplements, by tag.
_BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES, _PLANES = 258, 259, 262, 277, 284
_COLOUR_MAP, _INK_SET, _EXTRA, _FORMAT, _ORIENTATION, _PROFILE = 320, 332, 338, 339, 274, 34675
_FILL_ORDER, _SUBFILE, _OLD_SUBFILE, _BELOW = 266, 254, 255, 330
_REDUCED, _MASK, _OLD_REDUCED = 1, 4, 2  # of the tags NewSubfileType and SubfileType
MOST_PAGES = 100  # among which the picture is looked for; each costs a read of its directory
# Compressions that Pillow reads: none, CCITT, LZW, JPEG, Deflate, PackBits, ThunderScan, LZMA, Zstandard.
_PILLOWS = frozenset((1, 2, 3, 4, 5, 6, 7, 8, 32773, 32809, 32946, 34925, 50000))
_JPEGS_2000 = ("JPEG2000", "JPEG_2000_LOSSY", "APERIO_JP2000_YCBC", "APERIO_JP2000_RGB")
_JPEGS = ("JPEG", "OJPEG", "ALT_JPEG", "JPEG_LOSSY")
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, MASK, SEPARATED, YCBCR, CIELAB, ICCLAB = (
    *range(7),
    8,
    9,
)
UNSIGNED, SIGNED, FLOAT, VOID = 1, 2, 3, 4
ASSOCIATED, UNASSOCIATED = 1, 2  # of ExtraSamples: alpha, colours multiplied by it or not

_SPACES: dict[int, Space] = {
    WHITE_IS_ZERO: "gray",
    BLACK_IS_ZERO: "gray",
    RGB: "rgb",
    PALETTE: "gray",
    SEPARATED: "cmyk",
    YCBCR: "rgb",
    CIELAB: "lab",
    ICCLAB: "lab",
}
_OTHERS = {
    MASK: "that is a transparency mask",
    10: "in ITU LAB",
    32803: "of raw sensor data",
    32844: "in LogL",
    32845: "in LogLuv",
    34892: "of raw sensor data",
}
_NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


def is_plain(tags: Mapping[int, Any]) -> bool:
    """Whether Pillow reads a TIFF with these tags rightly: at most 8 bits, unsigned, pixel by pixel, in
    grey, RGB, YCbCr, CMYK or by a palette."""
    bits = numbers_of(tags.get(_BITS, 1))
    photometric = tags.get(_PHOTOMETRIC, WHITE_IS_ZERO)
    if photometric == PALETTE and max(tags.get(_COLOUR_MAP, (0,))) < 256:
        return False  # see `_look_up`
    compression = tags.get(_COMPRESSION, 1)
    if compression == 1 and tags.get(_FILL_ORDER, 1) != 1:
        return False  # Pillow does not read every mode with reversed bits
    if not names_all_parts(tags):
        return False  # Pillow shows black in their place
    if photometric == YCBCR and compression == 1:
        return False  # Pillow takes no account of subsampling, coefficients and reference levels
    return (
        max(bits) <= 8
        and compression in _PILLOWS
        and set(numbers_of(tags.get(_FORMAT, UNSIGNED))) <= {UNSIGNED, VOID}
        and tags.get(_PLANES, 1) == 1
        and tags.get(_INK_SET, 1) == 1
        and photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, SEPARATED, YCBCR)
    )


def is_secondary(tags: Mapping[int, Any]) -> bool:
    """Whether a page says that it is a smaller version of another one, or its mask."""
    kind = int(tags.get(_SUBFILE, 0))
    return bool(kind & (_REDUCED | _MASK)) or tags.get(_OLD_SUBFILE) == _OLD_REDUCED


def seek_picture(image: Image.Image) -> bool:
    """Turn a file that Pillow opened to its first page that is no thumbnail and no mask. If there is none,
    leave the file at its first page. False if the picture may lie in a directory below a page."""
    directories_below = False
    for number in range(MOST_PAGES):
        try:
            image.seek(number)
        except EOFError:
            break
        tags = image.tag_v2  # type: ignore[attr-defined]
        if not is_secondary(tags):
            return True
        directories_below |= _BELOW in tags
    image.seek(0)
    return not directories_below


def _picture(pages: Any) -> tuple[Any, dict[int, Any]]:
    """The page among tifffile's that `seek_picture` would choose, and its tags. If all pages are thumbnails
    or masks, the first directory below them that is neither: cameras put the photograph there."""
    parents = []
    for page in islice(pages, MOST_PAGES):
        tags = _tags(page)
        if not is_secondary(tags):
            return page, tags
        parents.append(page)
    below = (page for parent in parents if parent.subifds for page in parent.pages)
    for page in islice(below, MOST_PAGES):
        tags = _tags(page)
        if not is_secondary(tags):
            return page, tags
    return parents[0], _tags(parents[0])


def _tags(page: Any) -> dict[int, Any]:
    return {tag.code: tag.value for tag in page.tags.values()}


def open_tiff(data: bytes) -> Deep:
    """The first picture of a TIFF that is no thumbnail and no mask. Raises ImageError."""
    import tifffile

    try:
        # A microscope's private tag says nothing of the picture, and may be damaged.
        page, tags = _picture(tifffile.TiffFile(io.BytesIO(data), is_lsm=False).pages)
        size = int(page.imagewidth), int(page.imagelength)
    except MemoryError:
        raise
    except tifffile.TiffFileError as error:
        raise ImageError("broken", f"a TIFF whose directory cannot be read: {error}") from None
    except Exception:  # noqa: BLE001 - a damaged directory fails in any way
        raise ImageError("broken", "a TIFF whose directory cannot be read") from None
    _refuse_unreadable(page, tags)
    profile = tags.get(_PROFILE)
    return Deep(
        size=size,
        read=lambda: _samples(data, page, tags),
        profile=profile if isinstance(profile, bytes) else None,
        orientation=orientation_of(tags.get(_ORIENTATION)),
    )


def _refuse_unreadable(page: Any, tags: Mapping[int, Any]) -> None:
    import tifffile

    photometric, count = _number(tags, _PHOTOMETRIC, WHITE_IS_ZERO), _number(tags, _SAMPLES, 1)
    formats, bits = (
        set(numbers_of(tags.get(_FORMAT, UNSIGNED))),
        set(numbers_of(tags.get(_BITS, 1))),
    )
    extra = _extra(tags) if photometric in _SPACES else None
    words = None
    if photometric not in _SPACES:
        words = _OTHERS.get(photometric, f"of photometric kind {photometric}")
    elif formats - {UNSIGNED, VOID, FLOAT}:
        words = "of signed integers" if formats == {SIGNED} else "of complex numbers"
    elif len(formats) > 1 or len(bits) > 1:
        words = f"whose bands differ: {sorted(bits)} bits"
    elif FLOAT in formats and (photometric == PALETTE or not bits <= {16, 24, 32, 64}):
        words = f"of floating-point numbers of {min(bits)} bits"
    elif FLOAT not in formats and bits == {24}:
        words = "of integers of 24 bits"  # tifffile does not heed the file's byte order for these
    elif photometric == SEPARATED and _number(tags, _INK_SET, 1) != 1:
        words = "in other inks than CMYK"
    elif page.compression not in tifffile.TIFF.DECOMPRESSORS:
        words = f"compressed in way {int(page.compression)}"
    elif _compression(page) in _JPEGS_2000 and max(bits) > MOST_BITS:
        words = f"of JPEG 2000 of {max(bits)} bits"
    elif extra is None or (_SPACES[photometric] == "gray" and len(extra) > 1 and not any(extra)):
        words = f"with {_NUMBERS[count] if count < len(_NUMBERS) else count} bands"
    elif int(getattr(page, "imagedepth", 1)) != 1:
        words = "of a solid"
    if words is not None:
        raise ImageError("unsupported", f"a TIFF {words}")


def _extra(tags: Mapping[int, Any]) -> tuple[int, ...] | None:
    """The kinds of the samples beyond the colours. As in Pillow and libvips, a sample that no tag explains
    is transparency. None if there are several such samples, or if colours are absent."""
    channels = CHANNELS[_SPACES[_number(tags, _PHOTOMETRIC, WHITE_IS_ZERO)]]
    extra = tuple(int(kind) for kind in numbers_of(tags.get(_EXTRA, ())))
    beyond = _number(tags, _SAMPLES, 1) - channels
    if beyond == 1 and not extra:
        return (UNASSOCIATED,)
    return extra if len(extra) == beyond else None


def _samples(data: bytes, page: Any, tags: Mapping[int, Any]) -> Samples:
    refuse_absent_parts(tags)
    places = zip(page.dataoffsets, page.databytecounts, strict=False)
    if not all(_is_whole(data, _compression(page), *place) for place in places):
        raise ImageError("broken", "image file is truncated")
    try:
        decoded: Any = page_pixels(data, page)
    except NotImplementedError as error:
        raise ImageError("unsupported", f"a TIFF of a kind that cannot be read: {error}") from None
    separate, _, height, width, contiguous = page.shaped
    bands: Any = decoded.reshape(separate, height, width, contiguous)
    bands = np.moveaxis(bands, 0, 2).reshape(height, width, separate * contiguous)
    photometric, bits = page.photometric, int(numbers_of(tags.get(_BITS, 1))[0])
    extra, space = _extra(tags) or (), _SPACES[photometric]
    colours = bands[:, :, : CHANNELS[space]]
    alphas = [place for place, kind in enumerate(extra) if kind in (ASSOCIATED, UNASSOCIATED)]
    alpha = bands[:, :, CHANNELS[space] + alphas[0]] if alphas else None
    floating, alpha_bits = set(numbers_of(tags.get(_FORMAT, UNSIGNED))) == {FLOAT}, bits
    if photometric == PALETTE:
        colours, space, bits = _look_up(colours[:, :, 0], tags[_COLOUR_MAP]), "rgb", 16
    elif photometric in (CIELAB, ICCLAB):
        colours, bits = _icc_lab(colours, bits, photometric), 16
    elif photometric == YCBCR and not _is_converted(page):
        colours = rgb_of_ycbcr(colours, bits, tags)
    return Samples(
        colours=colours,
        space=space,
        bits=None if floating else bits,
        alpha=alpha,
        alpha_bits=None if floating else alpha_bits,
        inverted=photometric == WHITE_IS_ZERO,
        premultiplied=bool(alphas) and extra[alphas[0]] == ASSOCIATED,
    )


def _is_whole(data: bytes, compression: str, start: int, length: int) -> bool:
    """Whether a strip or a tile is whole, if its decoder would fill the rest up."""
    if compression in _JPEGS_2000:
        return has_end(data, start, start + length)
    return compression not in _JPEGS or start + length <= len(data)


def _look_up(indices: npt.NDArray[Any], colour_map: Any) -> npt.NDArray[np.uint16]:
    """The colours for a palette's indices. Entries have 16 bits, but some writers use only 8. As in
    libtiff, a palette entirely below 256 is one of 8 bits: with 16 bits it would look black."""
    entries = np.asarray(colour_map, dtype=np.uint32).reshape(3, -1)
    if entries.max(initial=0) < 256:
        entries = entries * 257
    if int(indices.max(initial=0)) >= entries.shape[1]:
        raise ImageError("broken", "a TIFF whose palette is too short")
    return np.asarray(entries.T[indices.astype(np.intp)], dtype=np.uint16)  # of 1 bit they are bool


def _icc_lab(colours: npt.NDArray[Any], bits: int, photometric: int) -> npt.NDArray[np.uint16]:
    """LAB as 16 bits in the encoding of ICC.1:2010. CIELAB has signed a and b, ICCLAB has them about the
    middle. Their 16-bit values are 8 bits and an 8-bit fraction."""
    if bits not in (8, 16) or colours.dtype.kind == "f":
        raise ImageError("unsupported", f"a TIFF in LAB of {bits} bits")
    values = colours.astype(np.int64)
    whole = 1 << bits
    half, unit = whole // 2, whole // 256
    lightness = values[:, :, :1]
    chroma = values[:, :, 1:]
    if photometric == CIELAB:
        chroma = (chroma + half) % whole
    most = (whole - 1) if photometric == CIELAB or bits == 8 else 0xFF00
    encoded = np.concatenate([lightness * 65535 / most, chroma * 257 / unit], axis=2)
    return np.asarray(np.clip(np.rint(encoded), 0, 65535), dtype=np.uint16)


def _is_converted(page: Any) -> bool:
    """Whether the decoder of the page's compression has turned YCbCr into RGB, as JPEG's, JPEG XL's and
    WebP's do."""
    return _compression(page) in ("JPEG", "OJPEG", "ALT_JPEG", "JPEGXL", "JPEGXL_DNG", "WEBP")


def _compression(page: Any) -> str:
    """The name of a way of compression that tifffile knows."""
    return getattr(page.compression, "name", "")


def _number(tags: Mapping[int, Any], tag: int, absent: int) -> int:
    """A tag's number, or the first of its numbers."""
    return int(numbers_of(tags.get(tag, absent))[0])

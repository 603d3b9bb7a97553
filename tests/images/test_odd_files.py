"""Valid files of rare kinds: read rightly, or rejected by the name of their kind."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from simsearch.images.decode import decode
from simsearch.images.limits import ImageError
from tests.images.test_codecs import pixels_of, samples
from tests.support.tiff_files import packed, tiff


def in_colour_space(data: bytes, number: int) -> bytes:
    place = data.index(b"colr") + 7
    return data[:place] + struct.pack(">I", number) + data[place + 4 :]


@pytest.mark.parametrize("bits", [8, 16])
def test_a_jpeg_2000_in_cmyk(bits: int) -> None:
    inks = samples(bits, 4)
    inks[:, :, 3] //= 3
    plain = bytes(imagecodecs.jpeg2k_encode(inks, level=0, reversible=True))
    paper = 1 - inks / ((1 << bits) - 1)
    seen = pixels_of(in_colour_space(plain, 12))
    assert np.abs(seen - paper[:, :, :3] * paper[:, :, 3:] * 255).max() <= 1


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("space", [0, 3, 14, 15, 20, 21])
def test_a_jpeg_2000_in_another_colour_space_is_not_taken_for_rgb(bits: int, space: int) -> None:
    plain = bytes(imagecodecs.jpeg2k_encode(samples(bits, 3), level=0, reversible=True))
    with pytest.raises(ImageError) as caught:
        pixels_of(in_colour_space(plain, space))
    assert caught.value.reason == "unsupported"


def test_a_tiff_with_webp_inside() -> None:
    buffer = io.BytesIO()
    options = {"lossless": True, "level": 100}
    colours = samples(8, 3)
    tifffile.imwrite(
        buffer, colours, photometric="rgb", compression="webp", compressionargs=options
    )
    assert np.abs(pixels_of(buffer.getvalue()) - colours).max() == 0


@pytest.mark.parametrize("alpha", [False, True])
def test_a_palette_of_one_bit(alpha: bool) -> None:
    indices = samples(1, 2)[:, :, : 2 if alpha else 1].copy()
    palette = (10, 200, 30, 40, 250, 60)  # 8 bits of the 16 filled
    tags = {320: palette, **({338: 2} if alpha else {})}
    seen = pixels_of(tiff(indices, photometric=3, bits=1, tags=tags))
    colours = np.reshape(palette, (3, 2)).T[indices[:, :, 0]]
    if alpha:
        colours = np.where(indices[:, :, 1:] > 0, colours, 255)
    assert np.abs(seen - colours).max() <= 1


def test_transparency_that_is_no_number_is_broken() -> None:
    bands = samples(8, 4) / np.float32(255)
    bands[3, 3, 3] = np.nan
    with pytest.raises(ImageError, match="transparency is no number"):
        pixels_of(tiff(bands, photometric=2, bits=32, kind=3, tags={338: 2}))


def test_of_two_orientations_the_first_counts() -> None:
    colours = samples(16, 3)
    seen = pixels_of(tiff(colours, photometric=2, bits=16, tags={274: (6, 1)}))
    assert np.abs(seen - np.rot90(colours, -1) / 257).max() <= 1


def test_a_subsampled_tiff_without_compression_is_named() -> None:
    data = tiff(
        samples(8, 3), photometric=6, bits=8, encoded=bytes(24 * 32 * 3 // 2), tags={530: (2, 2)}
    )
    with pytest.raises(ImageError, match="subsampling") as caught:
        decode(data, max_pixels=10**6, max_bytes=10**7, background="#ffffff")
    assert caught.value.reason == "unsupported"


# Deflate (it has two numbers), LZW, PackBits, Zstandard, none.
@pytest.mark.parametrize("compression", [8, 32946, 5, 32773, 50000, 1])
def test_the_last_strip_may_be_padded_to_the_full_rows_per_strip(compression: int) -> None:
    """libtiff reads only the bytes of the rows that exist, also of floats, planes and packed numbers."""
    rows = 3  # in the last strip, which has room for 7
    for bits, kind, planar, predictor in (
        (12, 1, False, 1),
        (16, 1, False, 1),
        (16, 1, True, 2),
        (32, 3, False, 1),
    ):
        levels = samples(16, 3)[: 14 + rows]
        stored = levels / 65535 if kind == 3 else levels >> (16 - bits)
        padded: Any = np.concatenate([stored, np.flip(stored, 0)[: 7 - rows]])
        if predictor == 2:
            padded = np.diff(padded.astype(np.int64), axis=1, prepend=0) % 65536
        data = tiff(
            padded,
            photometric=2,
            bits=bits,
            kind=kind,
            planar=planar,
            compression=compression,
            rows_per_strip=7,
            tags={257: 14 + rows, 259: compression, 317: predictor},
        )
        assert np.abs(pixels_of(data) - levels / 257).max() <= 1, (bits, planar, predictor)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("kind", [1, 4, 5])
def test_a_thumbnail_or_a_mask_before_the_picture_is_not_taken_for_it(bits: int, kind: int) -> None:
    """NewSubfileType of TIFF 6.0: bit 0 a smaller version of another page, bit 2 a mask."""
    colours, buffer = samples(bits, 3), io.BytesIO()
    first = samples(1, 1)[:, :, 0] > 0 if kind & 4 else colours[::4, ::4]
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(first, photometric="minisblack" if kind & 4 else "rgb", subfiletype=kind)
        writer.write(colours, photometric="rgb")
        writer.write(colours[::2, ::2], photometric="rgb", subfiletype=1)
    expected = colours / ((1 << bits) - 1) * 255
    np.testing.assert_allclose(pixels_of(buffer.getvalue()), expected, atol=1)


def test_a_file_of_thumbnails_alone_is_its_first_page() -> None:
    colours, buffer = samples(8, 3), io.BytesIO()
    tifffile.imwrite(buffer, colours, photometric="rgb", subfiletype=1)
    np.testing.assert_array_equal(pixels_of(buffer.getvalue()), colours)


@pytest.mark.parametrize("photometric", [0, 1])
@pytest.mark.parametrize("bits", [1, 4, 8, 16])
def test_bits_may_come_in_reverse_order(bits: int, photometric: int) -> None:
    grey = samples(bits, 1)
    reverse = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
    encoded = packed(grey, bits, 1, "<").translate(reverse)
    data = tiff(grey, photometric=photometric, bits=bits, encoded=encoded, tags={266: 2})
    levels = grey / ((1 << bits) - 1) * 255
    expected = levels if photometric else 255 - levels
    np.testing.assert_allclose(pixels_of(data), np.broadcast_to(expected, (24, 32, 3)), atol=1)


@pytest.mark.parametrize("bits", [8, 16])
def test_a_photograph_below_the_page_of_its_thumbnail_is_taken(bits: int) -> None:
    """As cameras write it (TIFF/EP). Here its strip holds more than its rows take."""
    colours, buffer = samples(bits, 3), io.BytesIO()
    strip = zlib.compress(colours.tobytes() + bytes(500))
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(colours[::8, ::8], photometric="rgb", subfiletype=1, subifds=2)
        writer.write(colours[::2, ::2], photometric="rgb", subfiletype=1)
        writer.write(
            iter([strip]),
            shape=colours.shape,
            dtype=colours.dtype,
            photometric="rgb",
            compression="zlib",
            rowsperstrip=len(colours),
        )
    expected = colours / ((1 << bits) - 1) * 255
    np.testing.assert_allclose(pixels_of(buffer.getvalue()), expected, atol=1)


def test_raw_sensor_data_below_a_thumbnail_is_not_taken_for_the_thumbnail() -> None:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(samples(8, 3)[::8, ::8], photometric="rgb", subfiletype=1, subifds=1)
        writer.write(samples(16, 1)[:, :, 0], photometric="cfa")
    with pytest.raises(ImageError, match="raw sensor data"):
        pixels_of(buffer.getvalue())


@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("name", ["levels of television", "coefficients of BT.709", "usual"])
def test_ycbcr_is_as_its_tags_and_libtiff_say(name: str, planar: bool) -> None:
    tags: dict[str, dict[int, Any]] = {
        "levels of television": {532: tuple(map(Fraction, (16, 235, 128, 240, 128, 240)))},
        "coefficients of BT.709": {529: tuple(Fraction(n, 10000) for n in (2126, 7152, 722))},
        "usual": {},
    }
    bands = samples(8, 3)
    bands[:, :, 1:] = 96 + bands[:, :, 1:] // 4
    data = tiff(bands, photometric=6, bits=8, planar=planar, tags={530: (1, 1), **tags[name]})
    expected = imagecodecs.tiff_decode(data, asrgb=True)[:, :, :3]
    # libtiff cuts off fractions of its three terms
    np.testing.assert_allclose(pixels_of(data), expected.astype(int), atol=3)


def jpeg(mode: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (24, 40, 3)).astype(np.uint8)
    Image.fromarray(noise).convert(mode).save(buffer, "JPEG", **options)
    return buffer.getvalue()


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_jpeg_without_its_end_is_whole_and_a_cut_one_is_not(mode: str) -> None:
    data = jpeg(mode)
    whole = pixels_of(data)
    for kept in (data[:-1], data[:-2], data[:-2] + bytes(10**4)):
        np.testing.assert_array_equal(pixels_of(kept), whole)
    quarter = data[: -len(data) // 4]
    cuts = [data[:-length] for length in range(6, 60)]
    for cut in (*cuts, quarter, quarter + bytes(10**4), quarter + b"\xff" * 10**4):
        with pytest.raises(ImageError) as caught:
            pixels_of(cut)
        assert caught.value.reason == "broken"


@pytest.mark.parametrize("options", [{"progressive": True}, {"restart_marker_blocks": 2}])
def test_a_jpeg_of_several_scans_or_restarts_needs_its_end(options: dict[str, Any]) -> None:
    """An absent scan or interval shows nowhere."""
    data = jpeg("RGB", **options)
    for cut in (data[:-2], data[:-2] + bytes(10**4)):
        with pytest.raises(ImageError, match="truncated"):
            pixels_of(cut)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("compression", [1, 5, 8])
@pytest.mark.parametrize("tiled", [False, True])
def test_a_tiff_that_lacks_strips_or_tiles_is_not_black_there(
    bits: int, compression: int, tiled: bool
) -> None:
    tags = {322: 32, 323: 16} if tiled else {}
    data = tiff(
        samples(bits, 3)[:16],
        photometric=2,
        bits=bits,
        compression=compression,
        rows_per_strip=16,
        tags={257: 40, **tags},
    )
    with pytest.raises(ImageError) as caught:
        pixels_of(data)
    assert caught.value.reason == "broken"


CUT: dict[str, Callable[[], Any]] = {
    "png 8": lambda: imagecodecs.png_encode(samples(8, 3).astype(np.uint8)),
    "png 16": lambda: imagecodecs.png_encode(samples(16, 3).astype(np.uint16)),
    "jpeg 2000, 8": lambda: imagecodecs.jpeg2k_encode(samples(8, 3), level=0, reversible=True),
    "jpeg 2000, 16": lambda: imagecodecs.jpeg2k_encode(samples(16, 3), level=0, reversible=True),
    "jpeg 2000 in tiff": lambda: tiff_of_jpeg_2000(),
}


def tiff_of_jpeg_2000() -> bytes:
    buffer, colours = io.BytesIO(), samples(16, 3).astype(np.uint16)
    options = {"level": 0, "reversible": True}
    tifffile.imwrite(
        buffer, colours, photometric="rgb", compression="jpeg2000", compressionargs=options
    )
    return buffer.getvalue()


@pytest.mark.parametrize("kind", CUT)
def test_a_file_that_is_cut_and_filled_up_with_zeros_is_broken(kind: str) -> None:
    whole = bytes(CUT[kind]())
    pixels_of(whole)
    for share in (0.8, 0.6):  # where the pixels are
        kept = whole[: int(len(whole) * share)]
        with pytest.raises(ImageError) as caught:
            pixels_of(kept + bytes(len(whole) - len(kept)))
        assert caught.value.reason == "broken"


@pytest.mark.parametrize("bits", [8, 16])
def test_a_strip_may_hold_more_rows_than_its_tag_says(bits: int) -> None:
    levels = samples(bits, 3)
    seen = pixels_of(tiff(levels, photometric=2, bits=bits, tags={278: 5}))
    assert np.abs(seen - levels / ((1 << bits) - 1) * 255).max() <= 1

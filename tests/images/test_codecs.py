"""Depths beyond 8 bits in JPEG 2000, JPEG, PNG and portable maps, and codecs inside TIFF."""

from __future__ import annotations

import io
import struct
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from PIL import Image

from simsearch.images.decode import decode
from simsearch.images.limits import ImageError
from tests.support.tiff_files import tiff

Levels = npt.NDArray[Any]


def pixels_of(data: bytes) -> npt.NDArray[np.int64]:
    decoded = decode(data, max_pixels=10**6, max_bytes=10**7, background="#ffffff")
    return np.asarray(decoded).astype(np.int64)


def samples(bits: int, channels: int) -> Levels:
    """Integers [24, 32, channels], smooth, with black and white in them."""
    rows, columns = np.mgrid[:24, :32]
    values = [rows / 23, columns / 31, 1 - rows / 23, np.full(rows.shape, 1.0)]
    chosen = {1: [1], 2: [1, 3], 3: [0, 1, 2], 4: [0, 1, 2, 3]}[channels]
    most = (1 << bits) - 1
    integers = np.rint(np.stack([values[place] for place in chosen], axis=2) * most)
    return np.asarray(integers, dtype=np.uint8 if bits <= 8 else np.uint16)


def shown(integers: Levels, bits: int) -> Levels:
    colours = integers[:, :, : 3 if integers.shape[2] > 2 else 1]
    return np.broadcast_to(colours * (255 / ((1 << bits) - 1)), (*colours.shape[:2], 3))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("bits", [1, 4, 8, 10, 12, 16])
@pytest.mark.parametrize("boxes", ["jp2", "j2k"])
def test_jpeg_2000_of_every_depth(bits: int, channels: int, boxes: str) -> None:
    integers = samples(bits, channels)
    data = imagecodecs.jpeg2k_encode(
        np.squeeze(integers), level=0, reversible=True, bitspersample=bits, codecformat=boxes
    )
    np.testing.assert_allclose(pixels_of(bytes(data)), shown(integers, bits), atol=1)


def test_a_half_transparent_jpeg_2000_of_16_bits_is_laid_on_the_background() -> None:
    integers = np.full((8, 8, 4), 32768, np.uint16)
    data = imagecodecs.jpeg2k_encode(integers, level=0, reversible=True, codecformat="jp2")
    np.testing.assert_allclose(pixels_of(bytes(data)), 255 * 0.75, atol=1)


def test_a_jpeg_2000_in_ycc_of_16_bits_is_rgb() -> None:
    """Enumerated colour space 18, in place of the 16 that the encoder writes."""
    grey = np.full((8, 8), 20000, np.uint16)
    neutral = np.full((8, 8), 32768, np.uint16)
    bands = np.stack([grey, neutral, neutral + 10000], axis=2)
    data = bytes(
        imagecodecs.jpeg2k_encode(bands, level=0, reversible=True, codecformat="jp2", mct=False)
    )
    place = data.index(b"colr") + 7
    changed = data[:place] + struct.pack(">I", 18) + data[place + 4 :]
    expected = np.array([20000 + 14020, 20000 - 7141, 20000]) / 257
    np.testing.assert_allclose(pixels_of(changed)[4, 4], expected, atol=1)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_jpeg_of_12_bits(channels: int) -> None:
    integers = samples(12, channels)
    data = bytes(imagecodecs.jpeg_encode(np.squeeze(integers), bitspersample=12, level=98))
    difference = np.abs(pixels_of(data) - shown(integers, 12))
    assert difference.mean() < 2


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_jpegs_without_loss(bits: int) -> None:
    integers = samples(bits, 1)
    files = [imagecodecs.ljpeg_encode(integers[:, :, 0], bitspersample=bits)]
    if bits != 12:  # JPEG-LS is written with the bits of the array
        files.append(imagecodecs.jpegls_encode(integers[:, :, 0]))
    for encoded in files:
        np.testing.assert_allclose(pixels_of(bytes(encoded)), shown(integers, bits), atol=1)


def test_a_jpeg_of_12_bits_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    body = b"Exif\0\0" + exif.tobytes().removeprefix(b"Exif\0\0")
    data = bytes(imagecodecs.jpeg_encode(samples(12, 1)[:, :, 0], bitspersample=12, level=98))
    data = data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:]
    decoded = pixels_of(data)
    assert decoded.shape == (32, 24, 3)
    assert decoded[0, 12, 0] < 20 < 235 < decoded[-1, 12, 0]


@pytest.mark.parametrize("compression", ["jpeg2000", "jpegxl", "zstd", "lzma", "packbits", "lerc"])
@pytest.mark.parametrize(("bits", "channels"), [(8, 1), (8, 3), (16, 1), (16, 3)])
def test_a_tiff_with_another_codec_inside(compression: str, bits: int, channels: int) -> None:
    integers = samples(bits, channels)
    options: dict[str, dict[str, Any]] = {
        "jpeg2000": {"reversible": True, "level": 0},
        "jpegxl": {"lossless": True},
    }
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer,
        np.squeeze(integers),
        photometric="rgb" if channels == 3 else "minisblack",
        compression=compression,
        compressionargs=options.get(compression),
    )
    np.testing.assert_allclose(pixels_of(buffer.getvalue()), shown(integers, bits), atol=1)


def test_a_tiff_with_a_jpeg_of_12_bits_inside() -> None:
    integers = samples(12, 1)
    encoded = bytes(imagecodecs.jpeg_encode(integers[:, :, 0], bitspersample=12, level=98))
    data = tiff(integers, photometric=1, bits=12, encoded=encoded, tags={259: 7})
    assert np.abs(pixels_of(data) - shown(integers, 12)).mean() < 2


@pytest.mark.parametrize("predictor", [True, False])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "uint16"])
@pytest.mark.parametrize("tile", [None, (16, 16)])
def test_tiles_and_predictors(predictor: bool, dtype: str, tile: tuple[int, int] | None) -> None:
    integers = samples(16, 3)
    values = integers if dtype == "uint16" else (integers / 65535).astype(dtype)
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer, values, photometric="rgb", compression="zlib", predictor=predictor, tile=tile
    )
    np.testing.assert_allclose(pixels_of(buffer.getvalue()), shown(integers, 16), atol=1)


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_a_jpeg_in_a_tiff_is_as_the_jpeg_itself(subsampling: str) -> None:
    image = Image.fromarray(samples(8, 3)).resize((64, 48), Image.Resampling.BICUBIC)
    buffer, own = io.BytesIO(), io.BytesIO()
    image.save(own, "JPEG", quality=90, subsampling=subsampling)
    image.convert("YCbCr").save(buffer, "TIFF", compression="jpeg", quality=90)
    difference = np.abs(pixels_of(buffer.getvalue()) - pixels_of(own.getvalue()))
    assert difference.mean() < 4


@pytest.mark.parametrize("most", [1, 3, 15, 255, 1023, 65535])
@pytest.mark.parametrize("kind", ["P5", "P6"])
def test_portable_maps_of_every_depth(most: int, kind: str) -> None:
    channels = 1 if kind == "P5" else 3
    integers = np.arange(96 * channels).reshape(-1) * 37 % (most + 1)
    integers[:2] = 0, most
    body = integers.astype(">u2" if most > 255 else "u1").tobytes()
    decoded = pixels_of(f"{kind}\n12 8\n{most}\n".encode() + body)
    expected = integers.reshape(8, 12, channels) * (255 / most)
    np.testing.assert_allclose(decoded, np.broadcast_to(expected, (8, 12, 3)), atol=1)


def test_a_portable_float_map_reaches_from_0_to_1() -> None:
    values = np.linspace(0, 1.5, 96).astype("<f4").reshape(8, 12)
    decoded = pixels_of(b"Pf\n12 8\n-1.0\n" + values[::-1].tobytes())
    np.testing.assert_allclose(decoded[:, :, 0], np.clip(values, 0, 1) * 255, atol=1)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_the_grey_that_a_png_calls_transparent(bits: int) -> None:
    from tests.images.test_colour_spaces import png

    most = (1 << bits) - 1
    for key in range(most + 1):
        row = np.packbits([int(bit) for n in range(most + 1) for bit in f"{n:0{bits}b}"])
        data = bytearray(png(row[None, :, None], 8, 0, {b"tRNS": struct.pack(">H", key)}))
        data = with_header(data, width=most + 1, bits=bits)
        expected = np.arange(most + 1) * (255 // most)
        expected[key] = 255
        np.testing.assert_array_equal(pixels_of(bytes(data))[0, :, 0], expected)


def with_header(data: bytearray, *, width: int, bits: int) -> bytearray:
    import zlib

    struct.pack_into(">I", data, 16, width)
    data[24] = bits
    struct.pack_into(">I", data, 29, zlib.crc32(data[12:29]))
    return data


@pytest.mark.parametrize(("kind", "key"), [(0, b"\x80\x00"), (2, b"\x80\x00" * 3)])
def test_the_16_bit_colour_that_a_png_calls_transparent(kind: int, key: bytes) -> None:
    from tests.images.test_colour_spaces import png

    row = np.array([0, 32767, 32768, 32769, 65535])[None, :, None].repeat(
        1 if kind == 0 else 3, axis=2
    )
    decoded = pixels_of(png(row, 16, kind, {b"tRNS": key}))
    np.testing.assert_allclose(decoded[0, :, 0], [0, 127, 255, 128, 255], atol=1)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"%PDF-1.7\n", "a PDF document"),
        (b"8BPS\0\1", "a Photoshop document"),
        (b"\xff\x0a" + bytes(20), "a JPEG XL picture"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"<?xml version='1.0'?><svg/>", "an SVG drawing"),
        (b"PF\n1 1\n-1.0\n", "a portable float map in colour"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "a raw photograph"),
        (bytes(128) + b"DICM", "a DICOM file"),
        (b"AT&TFORM\0\0", "a DjVu document"),
        (b"hello", "none of JPEG, PNG"),
    ],
)
def test_a_stranger_is_called_what_it_is(data: bytes, name: str) -> None:
    with pytest.raises(ImageError) as raised:
        pixels_of(data)
    assert raised.value.reason == "not an image"
    assert raised.value.detail.startswith(name)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "GIF", "WEBP", "JPEG2000", "BMP"])
def test_the_first_bytes_of_a_picture_are_a_broken_one(kind: str) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 40)).save(buffer, kind)
    with pytest.raises(ImageError) as raised:
        pixels_of(buffer.getvalue()[:14])
    assert raised.value.reason == "broken"

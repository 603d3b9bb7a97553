"""What a file says about its picture, beside the pixels, never costs the picture: odd, damaged or large
texts, profiles and EXIF."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageCms

from simsearch.images.decode import decode
from simsearch.images.limits import ImageError
from tests.images.test_codecs import pixels_of, samples
from tests.support.tiff_files import tiff

PICTURE = samples(8, 3).astype(np.uint8)
UPRIGHT = np.rot90(PICTURE, -1)  # orientation 6
MEGABYTES = 2_000_000


def png(bits: int, *chunks: tuple[bytes, bytes], damaged: bool = False) -> bytes:
    levels = PICTURE if bits == 8 else PICTURE.astype(np.uint16) * 257
    plain = bytes(imagecodecs.png_encode(levels))
    return plain[:33] + b"".join(chunk(name, body, damaged) for name, body in chunks) + plain[33:]


def chunk(name: bytes, body: bytes, damaged: bool = False) -> bytes:
    checksum = zlib.crc32(name + body) ^ damaged
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", checksum)


def profile(size: int) -> bytes:
    """sRGB turned round, filled up to a size: red is blue."""
    usual = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for name, other in ((b"rXYZ", b"tmp "), (b"bXYZ", b"rXYZ"), (b"tmp ", b"bXYZ")):
        usual = usual.replace(name, other, 1)
    filled = usual + np.random.default_rng(0).bytes(max(0, size - len(usual)))
    return struct.pack(">I", len(filled)) + filled[4:]


def exif(*others: tuple[int, int, int, bytes], orientation: int = 6) -> bytes:
    entries = [(0x112, 3, 1, struct.pack(">H", orientation)), *others]
    packed = [struct.pack(">HHI4s", tag, kind, count, value) for tag, kind, count, value in entries]
    return b"MM\0*\0\0\0\x08" + struct.pack(">H", len(packed)) + b"".join(packed) + bytes(4)


def shows(data: bytes, expected: npt.NDArray[np.uint8], tolerance: int = 1) -> None:
    np.testing.assert_allclose(pixels_of(data).astype(int), expected, atol=tolerance)


TEXTS = {
    "a packed text of 2 MB": (b"zTXt", b"Comment\0\0" + zlib.compress(b"ab" * MEGABYTES)),
    "packed XMP of 2 MB": (
        b"iTXt",
        b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"ab" * MEGABYTES),
    ),
    "a text packed in another way": (b"zTXt", b"Comment\0\1garbage"),
    "a profile packed in another way": (b"iCCP", b"name\0\1garbage"),
    "a profile that is no profile": (b"iCCP", b"name\0\0garbage"),
    "EXIF that is no EXIF": (b"eXIf", b"garbage!"),
    "a short pHYs": (b"pHYs", b"a"),
    "a short sRGB": (b"sRGB", b""),
    "a short gAMA": (b"gAMA", b"a"),
    "a short cHRM": (b"cHRM", b"abc"),
    "a short acTL": (b"acTL", b"abcd"),
}


@pytest.mark.parametrize("bits", [8, 16])
def test_descriptions_of_a_png(bits: int) -> None:
    for described in TEXTS.values():
        shows(png(bits, described), PICTURE)
    text = b"zTXt", b"Comment\0\0" + zlib.compress(bytes(1_000_000))
    shows(png(bits, *[text] * 70), PICTURE)
    shows(png(bits, (b"gAMA", struct.pack(">I", 100_000)), damaged=True), PICTURE)
    behind = png(bits)[:-12] + chunk(*TEXTS["a packed text of 2 MB"]) + png(bits)[-12:]
    shows(behind, PICTURE)
    packed = f"\nexif\n      {len(exif())}\n{exif().hex()}\n".encode()
    shows(png(bits, (b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(packed))), UPRIGHT)


@pytest.mark.parametrize("bits", [8, 16])
def test_a_large_profile_of_a_png_holds(bits: int) -> None:
    packed = b"name\0\0" + zlib.compress(profile(MEGABYTES), 1)
    shows(png(bits, (b"iCCP", packed)), PICTURE[:, :, ::-1], 2)
    enormous = struct.pack(">I", 2**30) + profile(0)[4:]
    with pytest.raises(ImageError, match="colour profile has 1,073,741,824 bytes"):
        pixels_of(png(bits, (b"iCCP", b"name\0\0" + zlib.compress(enormous))))


def test_a_png_without_its_palette_is_broken_and_not_grey() -> None:
    buffer = io.BytesIO()
    Image.fromarray(PICTURE).quantize(9).save(buffer, "PNG")
    whole = buffer.getvalue()
    start = whole.index(b"PLTE") - 4
    (length,) = struct.unpack_from(">I", whole, start)
    with pytest.raises(ImageError, match="without its palette"):
        pixels_of(whole[:start] + whole[start + length + 12 :])


def test_exif_behind_many_chunks_of_pixels_is_read() -> None:
    plain = png(8)
    start = plain.index(b"IDAT") - 4
    (length,) = struct.unpack_from(">I", plain, start)
    rows = plain[start + 8 : start + 8 + length]
    split = b"".join(chunk(b"IDAT", rows[n : n + 1]) for n in range(len(rows)))
    empty = chunk(b"IDAT", b"") * 10_000
    data = plain[:start] + split + empty + chunk(b"eXIf", exif()) + plain[-12:]
    shows(data, UPRIGHT)


ODD: dict[str, bytes] = {
    "a resolution that is a text": exif((0x11A, 2, 3, b"ab\0\0")),
    "a number that is a text": exif((0x100, 2, 2, b"12\0\0")),
    "a directory that is not there": exif((0x8769, 4, 1, b"\0\0\xff\xff")),
    "a directory within itself": exif((0x8769, 4, 1, b"\0\0\0\x08")),
}


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "PNG"])
def test_odd_exif_still_turns_a_picture(kind: str) -> None:
    options: dict[str, Any] = {"WEBP": {"lossless": True}}.get(kind, {})

    def file(contents: bytes) -> bytes:
        buffer = io.BytesIO()
        prefix = b"Exif\0\0" if kind == "JPEG" else b""
        Image.fromarray(PICTURE).save(buffer, kind, exif=prefix + contents, **options)
        return buffer.getvalue()

    plain = pixels_of(file(exif(orientation=1)))
    for name, contents in ODD.items():
        np.testing.assert_array_equal(pixels_of(file(contents)), np.rot90(plain, -1), name)
    for orientation in (0, 9):
        np.testing.assert_array_equal(pixels_of(file(exif(orientation=orientation))), plain)
    np.testing.assert_array_equal(pixels_of(file(b"garbage, garbage")), plain)


SEGMENTS = {
    "JFIF": b"\xff\xe0\0\x07JFIF\0",
    "Adobe": b"\xff\xee\0\x08Adobe\0",
    "Photoshop": b"\xff\xed\0\x16Photoshop 3.0\x008BIM\x03\xed",
    "a profile": b"\xff\xe2\0\x0eICC_PROFILE\0",
    "several pictures": b"\xff\xe2\0\x0dMPF\0garbage",
    "EXIF": b"\xff\xe1\0\x0fExif\0\0garbage",
}


@pytest.mark.parametrize("bits", [8, 12])
def test_damaged_segments_of_a_jpeg(bits: int) -> None:
    levels = PICTURE if bits == 8 else PICTURE.astype(np.uint16) * 16
    plain = bytes(imagecodecs.jpeg_encode(levels, bitspersample=bits))
    expected = pixels_of(plain)
    for name, segment in SEGMENTS.items():
        data = plain[:2] + segment + plain[2:]
        np.testing.assert_array_equal(pixels_of(data), expected, name)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(
    "tags",
    [
        {34675: "a profile that is a text"},
        {34675: 1234567},
        {700: "XMP that is a text"},
        {274: 0},
        {274: 9},
        {274: "1"},
        {34412: 7},  # of a microscope, whose directory would lie elsewhere
        {282: "a resolution that is a text"},
    ],
)
def test_odd_tags_of_a_tiff(bits: int, tags: dict[int, Any]) -> None:
    levels = PICTURE.astype(np.int64) * (1 if bits == 8 else 257)
    shows(tiff(levels, photometric=2, bits=bits, tags=tags), PICTURE)
    if 274 not in tags:
        shows(tiff(levels, photometric=2, bits=bits, tags={**tags, 274: 6}), UPRIGHT)


def test_a_tiff_with_a_jpeg_2000_too_deep_for_its_decoder_is_refused() -> None:
    encoded = bytes(imagecodecs.jpeg2k_encode(samples(16, 3).astype(np.uint32) << 16, level=0))
    data = tiff(samples(8, 3), photometric=2, bits=32, encoded=encoded, tags={259: 34712})
    with pytest.raises(ImageError, match="JPEG 2000 of 32 bits"):
        decode(data, max_pixels=10**6, max_bytes=10**7, background="#ffffff")


def test_a_reject_speaks_of_the_file_and_not_of_code() -> None:
    for tags in ({257: (24, 24)}, {277: (3, 3)}, {258: "8"}):
        with pytest.raises(ImageError) as caught:
            pixels_of(tiff(samples(16, 3), photometric=2, bits=16, tags=tags))
        assert "'" not in caught.value.detail, caught.value.detail
        assert "TIFF" in caught.value.detail

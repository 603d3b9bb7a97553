"""Decoding: every kind of picture becomes RGB, everything else a named reason."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from simsearch.images.decode import decode
from simsearch.images.identity import content_hash
from simsearch.images.limits import REASONS, ImageError

RED, BLUE = (200, 30, 40), (20, 40, 210)


def to_rgb(data: bytes, **limits: Any) -> Image.Image:
    return decode(
        data, **{"max_pixels": 10**6, "max_bytes": 10**7, "background": "#ffffff", **limits}
    )


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def two_tone() -> Image.Image:
    image = Image.new("RGB", (40, 20), RED)
    image.paste(BLUE, (20, 0, 40, 20))
    return image


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_a_lossless_picture_keeps_its_pixels(kind: str) -> None:
    np.testing.assert_array_equal(to_rgb(saved(two_tone(), kind)), two_tone())


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "GIF"])
def test_other_formats_are_as_pillow_decodes_them(kind: str) -> None:
    data = saved(two_tone(), kind)
    np.testing.assert_array_equal(to_rgb(data), Image.open(io.BytesIO(data)).convert("RGB"))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "LA", "CMYK", "YCbCr", "I;16"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    grey = two_tone().convert("L")
    image = grey.convert(mode) if mode == "I;16" else two_tone().convert(mode)
    kind = {"CMYK": "TIFF", "YCbCr": "JPEG"}.get(mode, "PNG")
    decoded = to_rgb(saved(image, kind))
    assert (decoded.mode, decoded.size) == ("RGB", (40, 20))


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    decoded = np.asarray(to_rgb(saved(Image.fromarray(ramp), "PNG")))[:, :, 0]
    np.testing.assert_allclose(decoded.ravel(), np.arange(256), atol=1)


def test_exif_orientation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # stored a quarter turn to the left of upright
    decoded = to_rgb(saved(two_tone(), "JPEG", exif=exif, quality=95))
    assert decoded.size == (20, 40)
    assert decoded.getpixel((10, 2))[0] > 150  # type: ignore[index]
    assert decoded.getpixel((10, 38))[2] > 150  # type: ignore[index]


@pytest.mark.parametrize(
    ("background", "expected"), [("#ffffff", (255, 255, 255)), ("#102030", (16, 32, 48))]
)
def test_transparency_is_laid_on_the_background(
    background: str, expected: tuple[int, int, int]
) -> None:
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    assert to_rgb(saved(clear, "PNG"), background=background).getpixel((0, 0)) == expected
    half = Image.new("RGBA", (4, 4), (0, 0, 0, 128))
    pixel = to_rgb(saved(half, "PNG"), background="#ffffff").getpixel((0, 0))
    assert pixel == (127, 127, 127)


def test_a_transparent_palette_entry_is_laid_on_the_background() -> None:
    image = Image.new("P", (4, 4), 0)
    image.putpalette([255, 0, 0, 0, 0, 255])
    assert to_rgb(saved(image, "PNG", transparency=0)).getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_an_animation_gives_its_first_frame(kind: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, BLUE)]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert to_rgb(data).getpixel((4, 4)) == RED


def swapped_primaries() -> bytes:
    """An sRGB profile whose red and blue primaries changed places, under another name."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    entries = {bytes(profile[at : at + 4]): at for at in range(132, 132 + 12 * profile[131], 12)}
    red, blue = entries[b"rXYZ"], entries[b"bXYZ"]
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    name = "sRGB".encode("utf-16-be")
    return bytes(profile).replace(name, "test".encode("utf-16-be"))


def test_an_icc_profile_is_converted_to_srgb() -> None:
    decoded = to_rgb(saved(two_tone(), "PNG", icc_profile=swapped_primaries()))
    np.testing.assert_allclose(np.asarray(decoded)[2, 2], RED[::-1], atol=2)
    np.testing.assert_allclose(np.asarray(decoded)[2, 38], BLUE[::-1], atol=2)


def test_an_srgb_or_broken_profile_changes_nothing() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (srgb, b"not a profile"):
        np.testing.assert_array_equal(
            to_rgb(saved(two_tone(), "PNG", icc_profile=profile)), two_tone()
        )


def png_claiming(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"<html>not found</html>", "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
        (png_claiming(50_000, 50_000), "too many pixels"),
        (png_claiming(100, 100), "broken"),
        (saved(two_tone(), "JPEG")[:-200], "broken"),
        (b"x" * (10**7 + 1), "too many bytes"),
    ],
)
def test_what_is_no_usable_image_has_a_named_reason(data: bytes, reason: str) -> None:
    with pytest.raises(ImageError) as caught:
        to_rgb(data)
    assert caught.value.reason == reason
    assert reason in REASONS
    assert caught.value.detail


VALID = [
    saved(two_tone(), "JPEG"),
    saved(two_tone(), "PNG"),
    saved(two_tone().convert("P"), "GIF"),
    saved(two_tone(), "TIFF", compression="tiff_lzw"),
    saved(two_tone(), "WEBP"),
    saved(two_tone(), "BMP"),
]


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(which=st.sampled_from(VALID), data=st.data())
def test_a_damaged_file_is_an_image_or_an_image_error(which: bytes, data: st.DataObject) -> None:
    damaged = bytearray(which[: data.draw(st.integers(0, len(which)))])
    for _ in range(data.draw(st.integers(0, 8))):
        if damaged:
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        outcome = to_rgb(bytes(damaged)).mode
    except ImageError as error:
        outcome = error.reason
    assert outcome in ("RGB", *REASONS)


def test_the_content_hash_is_sha256() -> None:
    assert (
        content_hash(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )

"""Colours through profiles and the chunks that name a colour space, against known values: in every
format, at every depth, in every mode, whatever the profile is called."""

from __future__ import annotations

import functools
import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageCms

from simsearch.images.decode import decode
from simsearch.images.limits import ImageError
from simsearch.images.profiles import is_srgb
from tests.support.tiff_files import CMYK, GREY, RGB, UNASSOCIATED, tiff

BACKGROUND = "#ffffff"
SRGB_PRIMARIES = [0.64, 0.33, 1, 0.30, 0.60, 1, 0.15, 0.06, 1]
ADOBE_PRIMARIES = [0.64, 0.33, 1, 0.21, 0.71, 1, 0.15, 0.06, 1]
D65 = [0.3127, 0.3290, 1]

Levels = npt.NDArray[Any]


def pixels_of(data: bytes) -> npt.NDArray[np.int64]:
    decoded = decode(data, max_pixels=10**6, max_bytes=10**7, background=BACKGROUND)
    return np.asarray(decoded).astype(np.int64)


def srgb_of(linear: Levels) -> Levels:
    """IEC 61966-2-1, in levels of 255."""
    linear = np.clip(linear, 0, 1)
    low = linear <= 0.0031308
    return 255 * np.where(
        low, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055
    )


@functools.cache
def profile(channels: str, gamma: float = 1.0, primaries: tuple[float, ...] = ()) -> bytes:
    """A profile of a plain gamma, whose name is sRGB's nevertheless."""
    if channels == "GRAY":
        made = imagecodecs.cms_profile("gray", whitepoint=D65, gamma=gamma)
    else:
        made = imagecodecs.cms_profile(
            "rgb", whitepoint=D65, primaries=list(primaries or SRGB_PRIMARIES), gamma=gamma
        )
    return named(bytes(made), "sRGB IEC61966-2.1")


def named(made: bytes, name: str) -> bytes:
    """The profile with another description, of version 2 (ICC.1:2001, 6.5.17)."""
    text = name.encode() + b"\0"
    tag = b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(78)
    tag += bytes(-len(tag) % 4)
    changed = bytearray(made + bytes(-len(made) % 4))
    for entry in range(132, 132 + 12 * changed[131], 12):
        if changed[entry : entry + 4] == b"desc":
            struct.pack_into(">II", changed, entry + 4, len(changed), len(tag))
    changed += tag
    struct.pack_into(">I", changed, 0, len(changed))
    changed[8] = 2
    return bytes(changed)


def ramp(bits: int, channels: int) -> tuple[Levels, Levels]:
    """Integers [8, 32, channels] from black to white, and the light that they stand for."""
    most = (1 << bits) - 1
    grey = np.rint(np.linspace(0, 1, 256) ** 2 * most).reshape(8, 32, 1)
    return np.repeat(grey, channels, axis=2).astype(np.int64), grey / most


def png(samples: Levels, bits: int, kind: int, chunks: dict[bytes, bytes] | None = None) -> bytes:
    """A PNG of samples [h, w, channels] of 8 or 16 bits; `kind` is its colour type."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    height, width = samples.shape[:2]
    rows = samples.astype(f">u{bits // 8}")
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    named_chunks = b"".join(chunk(name, body) for name, body in (chunks or {}).items())
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + named_chunks
        + chunk(b"IDAT", body)
        + chunk(b"IEND", b"")
    )


def embedded(icc: bytes) -> dict[bytes, bytes]:
    return {b"iCCP": b"any\0\0" + zlib.compress(icc)}


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def with_profile_box(data: bytes, icc: bytes) -> bytes:
    """A JP2 with an ICC profile in place of its enumerated colour space."""
    start = data.index(b"colr") - 4
    (length,) = struct.unpack_from(">I", data, start)
    box = struct.pack(">I4s3B", 11 + len(icc), b"colr", 2, 0, 0) + icc
    changed = bytearray(data[:start] + box + data[start + length :])
    header = data.index(b"jp2h") - 4
    (whole,) = struct.unpack_from(">I", data, header)
    struct.pack_into(">I", changed, header, whole + len(box) - length)
    return bytes(changed)


def linear_files() -> Iterator[tuple[str, bytes, Levels]]:
    """Pictures in linear light; at 8 bits and without loss each level comes out as the formula says."""
    rgb, grey = profile("RGB "), profile("GRAY")
    for bits in (8, 16):
        for channels, kind, icc in ((1, 0, grey), (1, 0, rgb), (3, 2, rgb)):
            integers, values = ramp(bits, channels)
            expected = srgb_of(values)
            name = f"{channels} of {bits} bits, {icc[16:20]!r}"
            yield f"PNG {name}", png(integers, bits, kind, embedded(icc)), expected
            alpha = np.full((8, 32, 1), (1 << bits) - 1)
            opaque = np.concatenate([integers, alpha], axis=2)
            yield f"PNG alpha {name}", png(opaque, bits, kind + 4, embedded(icc)), expected
            for photometric in (0, 1) if channels == 1 else (RGB,):
                seen = integers if photometric else (1 << bits) - 1 - integers
                data = tiff(seen, photometric=photometric, bits=bits, tags={34675: icc})
                yield f"TIFF {photometric} {name}", data, expected
            data = tiff(
                opaque,
                photometric=GREY if channels == 1 else RGB,
                bits=bits,
                tags={34675: icc, 338: UNASSOCIATED},
            )
            yield f"TIFF alpha {name}", data, expected
            encoded = imagecodecs.jpeg2k_encode(
                np.squeeze(integers).astype(f"u{bits // 8}"),
                level=0,
                reversible=True,
                codecformat="jp2",
            )
            yield f"JPEG 2000 {name}", with_profile_box(bytes(encoded), icc), expected
    integers, values = ramp(8, 3)
    image = Image.fromarray(integers.astype(np.uint8))
    for icc in (rgb, grey):
        yield (
            f"WebP {icc[16:20]!r}",
            saved(image, "WEBP", lossless=True, icc_profile=icc),
            srgb_of(values),
        )


def test_a_profile_holds_whatever_its_name_format_depth_and_mode() -> None:
    wrong, count = {}, 0
    for name, data, expected in linear_files():
        count += 1
        difference = np.abs(pixels_of(data) - expected).max()
        if difference > 1.2:
            wrong[name] = round(float(difference), 1)
    assert wrong == {}
    assert count >= 28


@pytest.mark.parametrize("kind", ["JPEG", "AVIF"])
@pytest.mark.parametrize("channels", ["RGB ", "GRAY"])
def test_a_profile_holds_in_formats_with_loss(kind: str, channels: str) -> None:
    values = np.repeat(np.linspace(0.2, 1, 32), 8)[None, :].repeat(16, axis=0)
    image = Image.fromarray(np.rint(values * 255).astype(np.uint8))
    image = image if channels == "GRAY" and kind == "JPEG" else image.convert("RGB")
    data = saved(image, kind, quality=98, icc_profile=profile(channels))
    np.testing.assert_allclose(pixels_of(data)[:, :, 0].mean(axis=0), srgb_of(values)[0], atol=3)


def test_dark_tones_of_a_linear_scan_stay_apart() -> None:
    """64 levels of 65,536, all of which are 0 or 1 in 8 bits."""
    integers = np.arange(0, 512, 8).reshape(1, 64, 1).repeat(3, axis=2)
    data = png(integers, 16, 2, embedded(profile("RGB ")))
    expected = srgb_of(integers / 65535)
    np.testing.assert_allclose(pixels_of(data), expected, atol=1)
    assert len(np.unique(pixels_of(data))) >= 20


def test_the_common_srgb_profiles_are_known_by_content() -> None:
    own = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert is_srgb(own)
    assert is_srgb(named(own, "Camera"))
    others = [profile("RGB "), profile("GRAY"), b"", b"not a profile", own[:200]]
    others.append(profile("RGB ", 2.2, tuple(ADOBE_PRIMARIES)))
    assert not any(is_srgb(other) for other in others)


def test_inks_go_through_their_profile_at_16_bits_as_at_8() -> None:
    """No CMYK profile can be made here: one of other channels changes nothing."""
    samples = np.random.default_rng(0).integers(0, 256, (8, 8, 4))
    eight = tiff(samples, photometric=CMYK, bits=8, tags={34675: profile("RGB ")})
    sixteen = tiff(samples * 257, photometric=CMYK, bits=16, tags={34675: profile("RGB ")})
    np.testing.assert_allclose(pixels_of(eight), pixels_of(sixteen), atol=1)


CHUNKS: dict[str, tuple[dict[bytes, bytes], float | None]] = {
    "gAMA of a linear picture": ({b"gAMA": struct.pack(">I", 100_000)}, 1.0),
    "gAMA of an old Macintosh": ({b"gAMA": struct.pack(">I", 55_556)}, 1.8),
    "gAMA that is sRGB's": ({b"gAMA": struct.pack(">I", 45_455)}, None),
    "gAMA below sRGB": ({b"gAMA": struct.pack(">I", 100_000), b"sRGB": b"\0"}, None),
    "gAMA below a profile": (
        {b"gAMA": struct.pack(">I", 55_556), **embedded(profile("RGB "))},
        1.0,
    ),
    "cICP of linear light": ({b"cICP": bytes([1, 8, 0, 1])}, 1.0),
    "cICP of sRGB over gAMA": (
        {b"cICP": bytes([1, 13, 0, 1]), b"gAMA": struct.pack(">I", 100_000)},
        None,
    ),
    "no gamma at all": ({b"gAMA": bytes(4)}, None),
}


@pytest.mark.parametrize("name", CHUNKS)
@pytest.mark.parametrize(("bits", "kind"), [(8, 0), (8, 2), (16, 0), (16, 2), (16, 6)])
def test_a_pngs_chunks_name_its_colours(name: str, bits: int, kind: int) -> None:
    chunks, gamma = CHUNKS[name]
    channels = {0: 1, 2: 3, 6: 4}[kind]
    integers, values = ramp(bits, channels)
    if kind == 6:
        integers[:, :, 3] = (1 << bits) - 1
    expected = values * 255 if gamma is None else srgb_of(values**gamma)
    np.testing.assert_allclose(
        pixels_of(png(integers, bits, kind, chunks)), expected + np.zeros(3), atol=1.2
    )


@pytest.mark.parametrize("bits", [8, 16])
def test_a_pngs_primaries_are_honoured(bits: int) -> None:
    """Adobe RGB's green lies outside sRGB. Its red is sRGB's red, brighter."""
    most = (1 << bits) - 1
    samples = np.array([[[most, most, most], [most // 2, most // 2, most // 2], [0, most, 0]]])
    xy = [value for place in range(0, 9, 3) for value in ADOBE_PRIMARIES[place : place + 2]]
    body = struct.pack(">8I", *(round(value * 100_000) for value in (*D65[:2], *xy)))
    decoded = pixels_of(png(samples, bits, 2, {b"cHRM": body}))
    np.testing.assert_allclose(decoded[0], [[255.0] * 3, [127.5] * 3, [0.0, 255.0, 0.0]], atol=2)
    yellowish = np.array([[[most // 2, most, 0]]])
    plain, wide = (
        pixels_of(png(yellowish, bits, 2, extra))[0, 0] for extra in ({}, {b"cHRM": body})
    )
    assert wide[0] < plain[0] - 40


@pytest.mark.parametrize(("curve", "name"), [(16, "PQ"), (18, "HLG")])
def test_a_png_of_high_dynamic_range_is_called_so(curve: int, name: str) -> None:
    with pytest.raises(ImageError, match=rf"high dynamic range \({name}\)"):
        pixels_of(png(ramp(16, 3)[0], 16, 2, {b"cICP": bytes([9, curve, 0, 1])}))

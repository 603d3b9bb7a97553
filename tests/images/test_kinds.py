"""Every kind of picture against known values: depth, samples, photometric, planes, byte order,
compression, transparency, palette. Some 400 small files, written here."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from simsearch.images.decode import decode
from simsearch.images.limits import ImageError
from tests.support import tiff_files
from tests.support.tiff_files import ASSOCIATED, FLOATS, UNASSOCIATED, tiff

Light = npt.NDArray[np.float64]  # what a picture shows, 0 to 1
File = tuple[str, bytes, Light]  # its name, its bytes and the RGB [h, w, 3] that it shows

HEIGHT, WIDTH = 12, 17
BACKGROUND = np.array([0x10, 0x80, 0xF0]) / 255
ORDERS = ("<", ">")
WHITE, BLACK = "white is zero", "black is zero"


def pixels_of(data: bytes) -> npt.NDArray[np.uint8]:
    return np.asarray(decode(data, max_pixels=10**6, max_bytes=10**7, background="#1080f0"))


def light(channels: int, seed: int = 0) -> Light:
    """A picture with every level from black to white in it."""
    values = np.random.default_rng(seed).random((HEIGHT, WIDTH, channels))
    values[0, 0], values[-1, 0], values[5, 5] = 0.0, 1.0, 0.5
    return values


def stored(values: Light, bits: int) -> tuple[npt.NDArray[np.uint64], Light]:
    """Values as integers of that many bits, and what those integers show."""
    most = (1 << bits) - 1
    integers = np.rint(values * most)
    return np.minimum(integers, most).astype(np.uint64), integers / most


def shown(colours: Light, alpha: Light | None = None) -> Light:
    rgb = np.broadcast_to(colours, (*colours.shape[:2], 3))
    return rgb if alpha is None else rgb * alpha + BACKGROUND * (1 - alpha)


def compare(files: Iterator[File], at_least: int) -> None:
    """Each file shows what it should, to one level, or two where it is blended."""
    wrong, count = {}, 0
    for name, data, expected in files:
        count += 1
        try:
            difference = np.abs(pixels_of(data) - expected * 255).max()
        except ImageError as error:
            wrong[name] = str(error)
            continue
        if difference > (2 if "alpha" in name else 1):
            wrong[name] = f"{difference:.1f} levels"
    assert wrong == {}
    assert count >= at_least


def greys() -> Iterator[File]:
    depths, compressions = (1, 2, 4, 6, 8, 10, 12, 14, 16, 32), (1, 8, 5)
    for bits, photometric, order, compression in itertools.product(
        depths, (0, 1), ORDERS, compressions
    ):
        integers, values = stored(light(1), bits)
        seen = values if photometric else 1 - values
        name = f"grey {bits} bits, photometric {photometric}, {order}, compression {compression}"
        data = tiff(
            integers,
            photometric=photometric,
            bits=bits,
            order=order,
            compression=compression,
            rows_per_strip=5,
        )
        yield name, data, shown(seen)


def with_alpha(channels: int, photometric: int, depths: tuple[int, ...]) -> Iterator[File]:
    kinds = (UNASSOCIATED, ASSOCIATED, 0)
    for bits, order, planar, kind in itertools.product(depths, ORDERS, (False, True), kinds):
        _, alpha = stored(0.2 + 0.8 * light(1, 1), bits)
        _, colours = stored(light(channels), bits)
        written = colours * alpha if kind == ASSOCIATED else colours
        integers, _ = stored(np.concatenate([written, alpha], axis=2), bits)
        data = tiff(
            integers,
            photometric=photometric,
            bits=bits,
            order=order,
            planar=planar,
            tags={338: kind},
        )
        name = f"{channels} and alpha {kind} of {bits} bits, {order}, planar {planar}"
        yield name, data, shown(colours, alpha if kind else None)


def colours() -> Iterator[File]:
    for bits, order, planar, compression in itertools.product(
        (8, 10, 12, 16, 32), ORDERS, (False, True), (1, 8, 5, 50000)
    ):
        integers, values = stored(light(3), bits)
        name = f"RGB {bits} bits, {order}, planar {planar}, compression {compression}"
        yield (
            name,
            tiff(
                integers,
                photometric=tiff_files.RGB,
                bits=bits,
                order=order,
                planar=planar,
                compression=compression,
                rows_per_strip=4,
            ),
            values,
        )


def floats() -> Iterator[File]:
    for bits, photometric, order, planar in itertools.product(
        (16, 32, 64), (0, 1, 2), ORDERS, (False, True)
    ):
        values = light(3 if photometric == 2 else 1)
        written = values.copy()
        written[2, 2:5] = np.array(
            [[1.5], [40], [-3]]
        )  # clipped, and nothing else changes for them
        values = np.clip(written, 0, 1)
        seen = values if photometric else 1 - values
        data = tiff(
            written, photometric=photometric, bits=bits, kind=FLOATS, order=order, planar=planar
        )
        yield f"float {bits}, photometric {photometric}, {order}, {planar}", data, shown(seen)


def palettes() -> Iterator[File]:
    for bits, order, kind in itertools.product((1, 2, 4, 8, 16), ORDERS, (None, UNASSOCIATED)):
        if kind and bits < 8:
            continue
        table = np.random.default_rng(bits).integers(0, 256, (3, 1 << bits))
        indices = np.random.default_rng(1).integers(0, 1 << bits, (HEIGHT, WIDTH, 1))
        tags: dict[int, Any] = {320: tuple((table * 257).ravel().tolist())}
        values, alpha = table.T[indices[:, :, 0]] / 255, None
        if kind:
            integers, alpha = stored(light(1, 1), bits)
            indices = np.concatenate([indices, integers.astype(np.int64)], axis=2)
            tags[338] = kind
        name = f"palette {bits} bits, {order}, {'alpha' if kind else 'opaque'}"
        data = tiff(indices, photometric=tiff_files.PALETTE, bits=bits, order=order, tags=tags)
        yield name, data, shown(values, alpha)


def inks() -> Iterator[File]:
    for bits, order, planar, extra in itertools.product((8, 16), ORDERS, (False, True), (0, 1)):
        _, values = stored(light(4 + extra), bits)
        integers, _ = stored(values, bits)
        cmy, black, rest = values[:, :, :3], values[:, :, 3:4], values[:, :, 4:]
        data = tiff(
            integers,
            photometric=tiff_files.CMYK,
            bits=bits,
            order=order,
            planar=planar,
            tags={338: UNASSOCIATED} if extra else {},
        )
        name = f"CMYK {bits} bits, {order}, planar {planar}, {'alpha' if extra else 'opaque'}"
        yield name, data, shown((1 - cmy) * (1 - black), rest if extra else None)


@pytest.mark.slow
def test_greys_of_every_depth() -> None:
    compare(greys(), 120)


@pytest.mark.slow
def test_colours_of_every_depth_and_layout() -> None:
    compare(colours(), 80)


def test_floating_point_reaches_from_0_to_1_whatever_lies_beyond() -> None:
    compare(floats(), 36)


def test_grey_and_transparency() -> None:
    compare(with_alpha(1, tiff_files.GREY, (8, 16, 32)), 36)


def test_colour_and_transparency() -> None:
    compare(with_alpha(3, tiff_files.RGB, (8, 12, 16, 32)), 48)


def test_palettes_of_every_depth() -> None:
    compare(palettes(), 14)


def test_inks_of_every_depth_and_layout() -> None:
    compare(inks(), 16)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("photometric", [tiff_files.CIELAB, tiff_files.ICCLAB])
def test_lab_is_as_its_definition_says(bits: int, photometric: int) -> None:
    """L*, a*, b* of grey and of sRGB's own red, green and blue under D50."""
    lab = np.array([[[100, 0, 0], [53.59, 0, 0], [54.29, 80.81, 69.89], [29.57, 68.30, -112.03]]])
    rgb = np.array([[255, 255, 255], [128, 128, 128], [255, 0, 0], [0, 0, 255]])
    unit = 1 << (bits - 8)
    white = 0xFF00 if (bits, photometric) == (16, tiff_files.ICCLAB) else (1 << bits) - 1
    chroma = lab[:, :, 1:] * unit
    if photometric == tiff_files.ICCLAB:
        chroma += 128 * unit
    samples = np.rint(np.concatenate([lab[:, :, :1] / 100 * white, chroma], axis=2)).astype(int)
    data = tiff(samples % (1 << bits), photometric=photometric, bits=bits)
    np.testing.assert_allclose(pixels_of(data)[0], rgb, atol=6 if bits == 8 else 2)


REFUSED: dict[str, dict[str, Any]] = {
    "a TIFF with five bands": {"channels": 5, "photometric": 1, "bits": 8},
    "a TIFF with six bands": {"channels": 6, "photometric": 2, "bits": 16},
    "a TIFF of signed integers": {"channels": 1, "photometric": 1, "bits": 16, "kind": 2},
    "a TIFF of integers of 24 bits": {"channels": 3, "photometric": 2, "bits": 24},
    "a TIFF that is a transparency mask": {"channels": 1, "photometric": 4, "bits": 1},
    "a TIFF of raw sensor data": {"channels": 1, "photometric": 32803, "bits": 16},
    "a TIFF in other inks than CMYK": {
        "channels": 4,
        "photometric": 5,
        "bits": 16,
        "tags": {332: 2},
    },
    "a TIFF in LogLuv": {"channels": 3, "photometric": 32845, "bits": 16},
    "a TIFF of photometric kind 777": {"channels": 3, "photometric": 777, "bits": 8},
    "a TIFF compressed in way 4242": {
        "channels": 1,
        "photometric": 1,
        "bits": 16,
        "tags": {259: 4242},
    },
}


@pytest.mark.parametrize("words", REFUSED)
def test_a_tiff_that_cannot_be_read_is_called_what_it_is(words: str) -> None:
    asked = dict(REFUSED[words])
    samples = np.zeros((HEIGHT, WIDTH, asked.pop("channels")), np.uint8)
    with pytest.raises(ImageError) as raised:
        pixels_of(tiff(samples, **asked))
    assert (raised.value.reason, raised.value.detail) == ("unsupported", words)


def test_floating_point_in_another_range_is_refused_and_not_guessed() -> None:
    levels = light(1) * 255
    with pytest.raises(ImageError, match="most of whose values lie above 1"):
        pixels_of(tiff(levels, photometric=1, bits=32, kind=FLOATS))
    with pytest.raises(ImageError, match="no numbers"):
        pixels_of(tiff(levels * np.nan, photometric=1, bits=32, kind=FLOATS))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("bits", [8, 16])
def test_a_tiff_is_turned_upright(bits: int, orientation: int) -> None:
    integers, values = stored(light(3), bits)
    data = tiff(integers, photometric=2, bits=bits, tags={274: orientation})
    expected = Image.fromarray(np.rint(values * 255).astype(np.uint8))
    for turn in TURNS[orientation]:
        expected = expected.transpose(turn)
    np.testing.assert_allclose(pixels_of(data).astype(int), np.asarray(expected), atol=1)


# TIFF 6.0, tag 274: which edges of the picture the first row and the first column are.
MIRROR, UPSIDE = Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM
DIAGONAL = Image.Transpose.TRANSPOSE
TURNS: dict[int, tuple[Image.Transpose, ...]] = {
    1: (),
    2: (MIRROR,),
    3: (MIRROR, UPSIDE),
    4: (UPSIDE,),
    5: (DIAGONAL,),
    6: (DIAGONAL, MIRROR),
    7: (DIAGONAL, MIRROR, UPSIDE),
    8: (DIAGONAL, UPSIDE),
}

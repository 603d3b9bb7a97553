"""AVIF and HEIF that name their colours by the numbers of ITU-T H.273 in place of a profile."""

from __future__ import annotations

import io
import struct

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from simsearch.images.decode import decode
from simsearch.images.heif import colour_profile
from simsearch.images.kinds import heif_readable
from simsearch.images.limits import ImageError
from tests.images.test_colour_spaces import srgb_of

COLOURS = np.array([[200, 100, 50], [60, 180, 90], [128, 128, 128], [90, 90, 200]])
P3_TO_SRGB = np.array(  # SMPTE RP 431-2 with white D65 to IEC 61966-2-1, linear light
    [[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]]
)


def pixels_of(data: bytes) -> npt.NDArray[np.int64]:
    """The four colours of the picture."""
    decoded = decode(data, max_pixels=10**6, max_bytes=10**7, background="#ffffff")
    return np.asarray(decoded).astype(np.int64)[8, 8::16]


def in_colour_space(kind: str, primaries: int, curve: int) -> bytes:
    if kind == "HEIF" and not heif_readable():
        pytest.skip("no HEIF here")
    picture = np.repeat(np.repeat(COLOURS[None], 16, axis=0), 16, axis=1)
    buffer = io.BytesIO()
    try:
        image = Image.fromarray(picture.astype(np.uint8))
        image.save(buffer, kind, quality=100, subsampling="4:4:4", chroma=444)
    except RuntimeError as error:
        pytest.skip(f"no HEIF encoder here: {error}")
    data = buffer.getvalue()
    assert data.count(b"nclx") == 1
    place = data.index(b"nclx") + 4
    return data[:place] + struct.pack(">HH", primaries, curve) + data[place + 4 :]


@pytest.mark.parametrize("kind", ["AVIF", "HEIF"])
def test_numbers_name_the_colours(kind: str) -> None:
    plain = pixels_of(in_colour_space(kind, 1, 13))
    np.testing.assert_allclose(plain, COLOURS, atol=4)
    levels = plain / 255
    linear = pixels_of(in_colour_space(kind, 1, 8))
    np.testing.assert_allclose(linear, srgb_of(levels), atol=1.2)
    light = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    wide = pixels_of(in_colour_space(kind, 12, 13))
    np.testing.assert_allclose(wide, srgb_of(light @ P3_TO_SRGB.T), atol=1.2)
    unknown = pixels_of(in_colour_space(kind, 22, 13))
    np.testing.assert_array_equal(unknown, plain)


@pytest.mark.parametrize("kind", ["AVIF", "HEIF"])
@pytest.mark.parametrize(("curve", "name"), [(16, "PQ"), (18, "HLG")])
def test_a_high_dynamic_range_is_called_so(kind: str, curve: int, name: str) -> None:
    with pytest.raises(ImageError, match=rf"{kind} of high dynamic range \({name}\)") as caught:
        pixels_of(in_colour_space(kind, 9, curve))
    assert caught.value.reason == "unsupported"


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("version", [0, 1])
def test_the_colours_are_those_of_the_primary_item(version: int, wide: bool) -> None:
    """A gain map beside the picture has a high dynamic range of its own."""
    number = ">I" if version else ">H"

    def box(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I4s", len(body) + 8, name) + body

    def item(item_id: int, place: int) -> bytes:
        key = struct.pack(">H", 0x8000 | place) if wide else bytes([0x80 | place])
        return struct.pack(number, item_id) + b"\1" + key

    codes = [(9, 16), (12, 13)]
    ipco = b"".join(box(b"colr", b"nclx" + struct.pack(">HHHB", *code, 0, 128)) for code in codes)
    items = struct.pack(">I", 2) + item(1, 1) + item(2, 2)
    ipma = box(b"ipma", bytes([version, 0, 0, int(wide)]) + items)
    for primary, high in ((1, True), (2, False)):
        pitm = box(b"pitm", bytes([version, 0, 0, 0]) + struct.pack(number, primary))
        data = box(b"meta", bytes(4) + pitm + box(b"iprp", box(b"ipco", ipco) + ipma))
        if high:
            with pytest.raises(ImageError, match="high dynamic range"):
                colour_profile(data, "AVIF", None)
        else:
            assert colour_profile(data, "AVIF", None) is not None
        assert colour_profile(data, "AVIF", b"a profile") == b"a profile"
    assert colour_profile(box(b"meta", bytes(4)), "AVIF", None) is None

"""The formats that museums keep masters in: JPEG 2000, AVIF, BigTIFF, several pages, MPO, HEIF."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from simsearch.images.decode import decode
from simsearch.images.kinds import EXTENSIONS, heif_readable
from simsearch.images.limits import ImageError
from tests.images.test_kinds import TURNS
from tests.support.heif_files import turned


def to_rgb(data: bytes) -> Image.Image:
    return decode(data, max_pixels=10**7, max_bytes=10**8, background="#ffffff")


def picture(seed: int = 0) -> Image.Image:
    small = np.random.default_rng(seed).integers(0, 256, (6, 9, 3)).astype(np.uint8)
    return Image.fromarray(small).resize((90, 60), Image.Resampling.BICUBIC)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def test_jpeg_2000_without_loss_keeps_its_pixels() -> None:
    np.testing.assert_array_equal(to_rgb(saved(picture(), "JPEG2000")), picture())


def test_avif_is_close_to_its_source() -> None:
    decoded = np.asarray(to_rgb(saved(picture(), "AVIF", quality=95)), dtype=float)
    assert np.abs(decoded - np.asarray(picture(), dtype=float)).mean() < 4


def test_bigtiff_keeps_its_pixels() -> None:
    data = saved(picture(), "TIFF", big_tiff=True)
    assert data[:4] == b"II+\0"
    np.testing.assert_array_equal(to_rgb(data), picture())


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "WEBP", "AVIF"])
def test_the_first_of_several_pages_or_frames_is_taken(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    first = to_rgb(saved(picture(1), kind, **options))
    several = saved(
        picture(1), kind, save_all=True, append_images=[picture(2), picture(3)], **options
    )
    difference = np.abs(np.asarray(to_rgb(several), dtype=float) - np.asarray(first, dtype=float))
    assert difference.mean() < 3


def test_an_mpo_is_its_first_photograph() -> None:
    data = saved(picture(1), "MPO", save_all=True, append_images=[picture(2)])
    np.testing.assert_array_equal(to_rgb(data), Image.open(io.BytesIO(data)).convert("RGB"))
    assert np.abs(np.asarray(to_rgb(data), float) - np.asarray(picture(1), float)).mean() < 4


def test_heif_is_read_where_its_package_is_installed_and_named_where_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    try:
        pillow_heif.from_pillow(picture()).save(buffer, quality=95)
    except RuntimeError as error:
        pytest.skip(f"no HEIF encoder here: {error}")
    decoded = np.asarray(to_rgb(buffer.getvalue()), dtype=float)
    assert np.abs(decoded - np.asarray(picture(), dtype=float)).mean() < 5
    monkeypatch.setattr("simsearch.images.decode.heif_readable", lambda: False)
    with pytest.raises(ImageError) as raised:
        to_rgb(buffer.getvalue())
    assert (raised.value.reason, raised.value.detail) == (
        "not an image",
        "HEIF; to read it, install simsearch[heif]",
    )
    assert heif_readable()


@pytest.mark.parametrize("twelve", [False, True])
def test_a_grey_heif_of_10_or_12_bits_is_not_white(
    twelve: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    monkeypatch.setattr(pillow_heif.options, "SAVE_HDR_TO_12_BIT", twelve)
    grey = np.asarray(picture().convert("L"))
    levels, buffer = grey.astype(np.uint16) * 257, io.BytesIO()
    try:
        pillow_heif.encode("L;16", grey.shape[::-1], levels.tobytes(), buffer, quality=-1)
    except RuntimeError as error:
        pytest.skip(f"no HEIF encoder here: {error}")
    decoded = np.asarray(to_rgb(buffer.getvalue()), dtype=float)
    assert np.abs(decoded - grey[:, :, None]).max() <= 1


def test_a_git_lfs_pointer_in_place_of_an_image_is_named() -> None:
    with pytest.raises(ImageError) as raised:
        to_rgb(b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 7\n")
    assert "git lfs pull" in raised.value.detail


def test_masters_have_extensions_that_a_folder_knows() -> None:
    assert {".jp2", ".j2k", ".avif", ".tif", ".btf", ".mpo", ".jpg"} <= EXTENSIONS


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "PNG of 16 bits", "WEBP", "AVIF", "TIFF"])
def test_every_orientation_is_turned_upright(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image, expected = picture(), picture()
    if kind == "PNG of 16 bits":
        grey = np.asarray(picture().convert("L"), np.uint16)
        image, expected = Image.fromarray(grey * 257), picture().convert("L").convert("RGB")
    for turn in TURNS[orientation]:
        expected = expected.transpose(turn)
    decoded = to_rgb(saved(image, kind.partition(" ")[0], exif=exif, quality=95))
    assert decoded.size == expected.size
    assert np.abs(np.asarray(decoded, float) - np.asarray(expected, float)).mean() < 4


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "PNG of 16 bits", "WEBP", "AVIF"])
def test_xmp_turns_no_picture(kind: str) -> None:
    """As in browsers, libvips and OpenCV. Pillow turns a picture by it where EXIF says nothing."""
    image = picture()
    if kind == "PNG of 16 bits":
        image = Image.fromarray(np.asarray(picture().convert("L"), np.uint16) * 257)
    words = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", words.decode())
    data = saved(image, kind.partition(" ")[0], xmp=words, pnginfo=text)
    assert b"tiff:Orientation" in data
    assert to_rgb(data).size == picture().size


# Turns that ISO/IEC 23008-12 names by properties, as the orientations of Exif that mean the same.
PROPERTIES = {
    (("irot", 1),): 8,
    (("irot", 2),): 3,
    (("irot", 3),): 6,
    (("imir", 0),): 4,
    (("imir", 1),): 2,
    (("irot", 1), ("imir", 0)): 5,
    (("irot", 1), ("imir", 1)): 7,
    (): 1,
}


@pytest.mark.parametrize("properties", PROPERTIES)
@pytest.mark.parametrize("kind", ["AVIF", "HEIF"])
def test_only_the_properties_of_heif_turn_it(
    kind: str, properties: tuple[tuple[str, int], ...]
) -> None:
    """Its Exif may name an orientation too, which readers are to ignore."""
    if kind == "HEIF" and not heif_readable():
        pytest.skip("no HEIF here")
    exif = Image.Exif()
    exif[0x0113] = 6  # writers would turn 0x0112 into properties
    try:
        data = turned(saved(picture(), kind, quality=95, exif=exif.tobytes()), properties)
    except RuntimeError as error:
        pytest.skip(f"no HEIF encoder here: {error}")
    unused, orientation = b"\x01\x13\0\3\0\0\0\1", b"\x01\x12\0\3\0\0\0\1"
    assert data.count(unused) == 1
    data = data.replace(unused, orientation)
    expected = picture()
    for turn in TURNS[PROPERTIES[properties]]:
        expected = expected.transpose(turn)
    decoded = np.asarray(to_rgb(data), dtype=float)
    assert np.abs(decoded - np.asarray(expected, dtype=float)).mean() < 5


@pytest.mark.parametrize("ink", [(255, 0, 0, 0), (0, 0, 0, 255), (0, 0, 0, 0)])
def test_cmyk_of_a_jpeg_is_inverted_without_adobes_marker_too(ink: tuple[int, ...]) -> None:
    """As libvips, OpenCV and browsers have it: the standard says nothing of inks."""
    data = saved(Image.new("CMYK", (16, 16), ink), "JPEG", quality=100)
    marker = data.index(b"\xff\xee")
    length = int.from_bytes(data[marker + 2 : marker + 4], "big")
    assert data[marker + 4 :].startswith(b"Adobe")
    without = data[:marker] + data[marker + 2 + length :]
    paper = [(255 - colour) * (255 - ink[3]) // 255 for colour in ink[:3]]
    np.testing.assert_allclose(np.asarray(to_rgb(without))[8, 8], paper, atol=1)
    np.testing.assert_array_equal(to_rgb(without), to_rgb(data))

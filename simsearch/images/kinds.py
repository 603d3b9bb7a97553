"""The format of a file, detected from its first bytes: formats that can be read, and names for others."""

from __future__ import annotations

import functools
import importlib
import importlib.util

# JPEG covers MPO, whose first picture is the photograph; TIFF covers BigTIFF.
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "JPEG2000", "AVIF")

HEIF_EXTENSIONS = frozenset({".heic", ".heif", ".hif"})
HEIF_ADVICE = "HEIF; to read it, install simsearch[heif]"
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")

# The extensions of these formats. The first bytes of a file decide its format, never its name.
EXTENSIONS = frozenset(
    [
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".png",
        ".apng",
        ".gif",
        ".webp",
        ".tif",
        ".tiff",
        ".btf",
        ".bmp",
        ".ppm",
        ".pgm",
        ".pbm",
        ".pnm",
        ".mpo",
        ".jp2",
        ".j2k",
        ".jpf",
        ".jpx",
        ".jpc",
        ".j2c",
        ".avif",
        ".avifs",
    ]
)

_BEGINNINGS = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"BM", "BMP"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG2000"),
    (b"\xff\x4f\xff\x51", "JPEG2000"),
)

_STRANGERS = (
    (b"%PDF", "a PDF document"),
    (b"%!PS", "a PostScript document"),
    (b"8BPS", "a Photoshop document"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (b"v/1\x01", "an OpenEXR picture"),
    (b"#?RADIANCE", "a Radiance HDR picture"),
    (b"\xd7\xcd\xc6\x9a", "a Windows metafile"),
    (b"II\xbc", "a JPEG XR picture"),
    (b"\0\0\x01\0", "an icon"),
    (b"FUJIFILM", "a raw photograph"),
    (b"IIRO", "a raw photograph"),
    (b"IIU\0", "a raw photograph"),
    (b"\0\0\0\x18ftypcrx ", "a raw photograph"),
    (b"AT&TFORM", "a DjVu document"),
    (b"gimp xcf", "a GIMP picture"),
    (b"qoif", "a QOI picture"),
    (b"P7\n", "a portable arbitrary map"),
    (b"DDS ", "a DirectDraw texture"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"SIMPLE  =", "a FITS file"),
    (b"\x1aE\xdf\xa3", "a video"),
    (b"ID3", "a sound"),
    (b"OggS", "a sound or a video"),
    (b"{", "a JSON document"),
    (b"PF", "a portable float map in colour"),
    (b"version https://git-lfs", "a Git LFS pointer; run `git lfs pull` where it comes from"),
)


def kind_of(data: bytes) -> str | None:
    """The one of FORMATS, or "HEIF", whose files begin so. None for other formats."""
    for beginning, kind in _BEGINNINGS:
        if data.startswith(beginning):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp":
        if data[8:12] in (b"avif", b"avis"):
            return "AVIF"
        if data[8:12] in _HEIF_BRANDS:
            return "HEIF"
    if data[:1] == b"P" and data[1:2] in b"123456f" and data[2:3].isspace():
        return "PPM"
    return None


@functools.cache
def heif_readable() -> bool:
    """Whether the optional package for HEIF is installed; registers it with Pillow."""
    if importlib.util.find_spec("pillow_heif") is None:
        return False
    importlib.import_module("pillow_heif").register_heif_opener()
    return True


def stranger_name(data: bytes) -> str:
    """The name of a file's format that is none of FORMATS, or words for an unknown format."""
    for beginning, name in _STRANGERS:
        if data.startswith(beginning):
            return name
    if data[128:132] == b"DICM":
        return "a DICOM file"
    text = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    if b"<svg" in text:
        return "an SVG drawing"
    if text.startswith(b"<?xml"):
        return "an XML document"
    if data[4:8] == b"ftyp":
        return "a video"
    return f"none of {', '.join(FORMATS)}"

"""A generated collection: seeded, any size, several styles, for demos and load tests.

Artwork i depends on the seed and i alone, so a larger collection begins with the smaller one.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from simsearch.catalog.notes import Notes
from simsearch.settings.config import Config
from simsearch.storage.storage import Storage

FOLDER = "images/generated"
WRITERS = 8  # stores in flight; hides an object store's latency

_Draw = Callable[[np.random.Generator, tuple[int, int], list[tuple[int, int, int]]], Image.Image]

_PLACES = ("Harbour", "Orchard", "Quarry", "Meadow", "Lagoon", "Terrace", "Foundry", "Viaduct")
_MOODS = ("Morning", "Silent", "Late", "Distant", "Restless", "Pale", "Burning", "Second")
_GIVEN = ("Ada", "Bruno", "Clara", "Dmitri", "Elif", "Farid", "Greta", "Hiro")
_FAMILY = ("Albers", "Brandt", "Castellanos", "Dufour", "Eriksen", "Fontana", "Grau", "Hoshino")
_MEDIA = ("Oil on canvas", "Gouache on paper", "Lithograph", "Ink on paper", "Acrylic on panel")


def read_generated(config: Config, _notes: Notes) -> Iterator[dict[str, Any]]:
    """`catalog.size` artworks. Their images are drawn into the root unless they exist."""
    storage = Storage(config.root, config.storage)
    stored = {info.path: info.etag for info in storage.files(FOLDER)}
    missing = [number for number in range(config.catalog.size) if _file_name(number) not in stored]

    def draw(number: int) -> None:
        storage.write_bytes(f"{FOLDER}/{_file_name(number)}", image_bytes(config.seed, number))

    with ThreadPoolExecutor(WRITERS) as pool:
        for _ in pool.map(draw, missing):
            pass
    if missing:
        stored = {info.path: info.etag for info in storage.files(FOLDER)}
    for number in range(config.catalog.size):
        name = _file_name(number)
        yield {
            **describe(config.seed, number),
            "image_uri": storage.uri(f"{FOLDER}/{name}"),
            "etag": stored[name],
        }


def describe(seed: int, number: int) -> dict[str, Any]:
    """The metadata of one artwork: catalog columns without image_uri and etag."""
    rng = _random(seed, number)
    style = _style(number)
    # Each artist keeps to one style; a tenth of the works have two artists.
    first = int(rng.integers(4)) + 4 * list(STYLES).index(style)
    people = [first] if rng.random() > 0.1 else [first, first + 1]
    width, height = (int(side) for side in rng.integers(20, 200, 2))
    return {
        "artwork_id": f"generated-{number:06}",
        "title": f"{rng.choice(_MOODS)} {rng.choice(_PLACES)} No. {number + 1}",
        "artists": [
            f"{_GIVEN[person % 8]} {_FAMILY[(person // 8 + person) % 8]}" for person in people
        ],
        "date": str(int(rng.integers(1880, 2020))),
        "medium": str(rng.choice(_MEDIA)),
        "dimensions": f"{height} × {width} cm",
        "department": "Generated Collection",
        "classification": style,
        "credit": f"simsearch, seed {seed}",
    }


def image_bytes(seed: int, number: int) -> bytes:
    """The image file of one artwork, JPEG or PNG by its number."""
    rng = _random(seed, number + (1 << 32))
    size = (int(rng.integers(180, 320)), int(rng.integers(180, 320)))
    image = STYLES[_style(number)](rng, size, _palette(rng))
    buffer = io.BytesIO()
    if _file_name(number).endswith(".jpg"):
        image.save(buffer, "JPEG", quality=90)
    else:
        modes = {0: "P", 1: "RGBA", 2: "L", 3: "RGB"}
        image.convert(modes[number // 10 % 4]).save(buffer, "PNG")
    return buffer.getvalue()


def _file_name(number: int) -> str:
    # Every tenth a PNG, in turn with a palette, alpha, in grey and plain, to exercise the decoder.
    return f"{number:06}.{'png' if number % 10 == 9 else 'jpg'}"


def _style(number: int) -> str:
    return list(STYLES)[number % len(STYLES)]


def _random(seed: int, number: int) -> np.random.Generator:
    return np.random.default_rng([seed, number])


def _palette(rng: np.random.Generator) -> list[tuple[int, int, int]]:
    """Five colours around one hue and its opposite, from light to dark."""
    hue = rng.random()
    colours = []
    for step, value in enumerate((0.95, 0.85, 0.7, 0.5, 0.25)):
        turned = (hue + (0.5 if step % 2 else 0.0) + rng.normal(0, 0.04)) % 1
        saturation = float(np.clip(rng.normal(0.55, 0.2), 0.05, 1))
        colours.append(_rgb(turned, saturation, value))
    return colours


def _rgb(hue: float, saturation: float, value: float) -> tuple[int, int, int]:
    channels = [
        value * (1 - saturation * max(0.0, min(1.0, min(k, 4 - k))))
        for k in ((n + hue * 6) % 6 for n in (5, 3, 1))
    ]
    red, green, blue = (int(255 * channel) for channel in channels)
    return red, green, blue


def _colour_field(
    rng: np.random.Generator, size: tuple[int, int], colours: list[tuple[int, int, int]]
) -> Image.Image:
    image = Image.new("RGB", size, colours[0])
    draw = ImageDraw.Draw(image)
    edges = np.sort(rng.uniform(0.05, 0.95, int(rng.integers(2, 5)))) * size[1]
    margin = size[0] * 0.07
    for colour, top, bottom in zip(
        colours[1:], [size[1] * 0.04, *edges], [*edges, size[1] * 0.96], strict=False
    ):
        draw.rectangle((margin, top, size[0] - margin, max(top, bottom - 6)), fill=colour)
    return _grain(rng, image, 9)


def _grid(
    rng: np.random.Generator, size: tuple[int, int], colours: list[tuple[int, int, int]]
) -> Image.Image:
    image = Image.new("RGB", size, (240, 236, 226))
    draw = ImageDraw.Draw(image)
    columns = [0, *np.sort(rng.uniform(0.1, 0.9, int(rng.integers(2, 5)))) * size[0], size[0]]
    rows = [0, *np.sort(rng.uniform(0.1, 0.9, int(rng.integers(2, 5)))) * size[1], size[1]]
    for left, right in itertools.pairwise(columns):
        for top, bottom in itertools.pairwise(rows):
            fill = colours[int(rng.integers(5))] if rng.random() < 0.4 else None
            draw.rectangle((left, top, right, bottom), fill=fill, outline=(20, 20, 20), width=5)
    return image


def _dots(
    rng: np.random.Generator, size: tuple[int, int], colours: list[tuple[int, int, int]]
) -> Image.Image:
    image = Image.new("RGB", size, colours[0])
    draw = ImageDraw.Draw(image)
    centre = rng.uniform(0.3, 0.7, 2) * size
    for x, y, which in zip(
        rng.uniform(0, size[0], 700), rng.uniform(0, size[1], 700), rng.random(700), strict=True
    ):
        nearness = float(np.hypot(x - centre[0], y - centre[1])) / max(size)
        radius = 2 + 5 * nearness
        draw.ellipse(
            (x - radius, y - radius, x + radius, y + radius),
            fill=colours[min(4, int(nearness * 5 + which * 2))],
        )
    return image


def _landscape(
    rng: np.random.Generator, size: tuple[int, int], colours: list[tuple[int, int, int]]
) -> Image.Image:
    width, height = size
    ramp = np.linspace(0, 1, height)[:, None, None]
    sky = (1 - ramp) * np.array(colours[1]) + ramp * np.array(colours[0])
    image = Image.fromarray(np.broadcast_to(sky, (height, width, 3)).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    sun, radius = rng.uniform(0.15, 0.85) * width, rng.uniform(0.04, 0.1) * width
    high = rng.uniform(0.1, 0.35) * height
    draw.ellipse((sun - radius, high - radius, sun + radius, high + radius), fill=(250, 240, 210))
    x = np.arange(width)
    for layer, colour in enumerate(colours[2:]):
        waves = np.zeros(width)
        for _ in range(3):
            waves += rng.uniform(2, 16) * np.sin(x * rng.uniform(0.01, 0.07) + rng.uniform(0, 6))
        line = height * (0.45 + 0.18 * layer) + waves
        draw.polygon(
            [(0, height), *zip(x.tolist(), line.tolist(), strict=True), (width, height)],
            fill=colour,
        )
    return _grain(rng, image, 7)


def _drawing(
    rng: np.random.Generator, size: tuple[int, int], colours: list[tuple[int, int, int]]
) -> Image.Image:
    image = Image.new("RGB", size, (246, 242, 232))
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(6, 16))):
        steps = rng.normal(0, 14, (60, 2)).cumsum(axis=0)
        points = rng.uniform(0.2, 0.8, 2) * size + steps
        draw.line(
            [tuple(point) for point in points],
            fill=colours[4],
            width=int(rng.integers(1, 4)),
            joint="curve",
        )
    return image


def _portrait(
    rng: np.random.Generator, size: tuple[int, int], colours: list[tuple[int, int, int]]
) -> Image.Image:
    width, height = size
    image = Image.new("RGB", size, colours[3])
    draw = ImageDraw.Draw(image)
    middle, face = width * rng.uniform(0.42, 0.58), width * rng.uniform(0.16, 0.24)
    eyes = height * rng.uniform(0.34, 0.42)
    draw.ellipse(
        (middle - 2.1 * face, height * 0.66, middle + 2.1 * face, height * 1.3), fill=colours[4]
    )
    draw.ellipse(
        (middle - face * 1.2, eyes - face * 1.5, middle + face * 1.2, eyes + face * 1.5),
        fill=colours[4],
    )
    draw.ellipse(
        (middle - face, eyes - face * 1.1, middle + face, eyes + face * 1.6), fill=colours[0]
    )
    for side in (-1, 1):
        eye = middle + side * face * 0.4
        draw.ellipse(
            (eye - face * 0.14, eyes - face * 0.08, eye + face * 0.14, eyes + face * 0.1),
            fill=(30, 26, 24),
        )
    draw.arc(
        (middle - face * 0.4, eyes + face * 0.5, middle + face * 0.4, eyes + face),
        20,
        160,
        fill=colours[4],
        width=3,
    )
    return _grain(rng, image, 12)


def _stripes(
    rng: np.random.Generator, size: tuple[int, int], colours: list[tuple[int, int, int]]
) -> Image.Image:
    angle, period = rng.uniform(0, np.pi), rng.uniform(8, 40)
    y, x = np.mgrid[: size[1], : size[0]]
    along = (
        x * np.cos(angle)
        + y * np.sin(angle)
        + rng.uniform(0, 20) * np.sin((x - y) / rng.uniform(15, 60))
    )
    return Image.fromarray(np.array(colours, dtype=np.uint8)[(along / period).astype(int) % 5])


def _circles(
    rng: np.random.Generator, size: tuple[int, int], colours: list[tuple[int, int, int]]
) -> Image.Image:
    image = Image.new("RGB", size, colours[0])
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(4, 10))):
        (x, y), radius = rng.uniform(0, 1, 2) * size, rng.uniform(0.06, 0.35) * min(size)
        for ring in range(3):
            inner = radius * (1 - ring / 3)
            draw.ellipse(
                (x - inner, y - inner, x + inner, y + inner), fill=colours[int(rng.integers(5))]
            )
    return image


def _grain(rng: np.random.Generator, image: Image.Image, strength: float) -> Image.Image:
    noisy = np.asarray(image, dtype=np.float32) + rng.normal(
        0, strength, (image.height, image.width, 1)
    )
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


STYLES: dict[str, _Draw] = {
    "colour field": _colour_field,
    "grid": _grid,
    "pointillism": _dots,
    "landscape": _landscape,
    "drawing": _drawing,
    "portrait": _portrait,
    "stripes": _stripes,
    "circles": _circles,
}

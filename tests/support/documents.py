"""A web server on loopback that gives what a test puts there, and what a IIIF publisher writes."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from PIL import Image

from simsearch.catalog import catalog
from simsearch.catalog.notes import Notes
from simsearch.settings.config import Config, load_config
from tests.support.serving import serving

Json = dict[str, Any]


class Documents:
    """`files` by path: a JSON value, bytes, or a status alone. `asked` has the paths in order."""

    def __init__(self) -> None:
        self.files: dict[str, Any] = {}
        self.asked: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}"

    def collection(self, *paths: str, **extra: Any) -> str:
        """Put a collection of these manifests at /c.json. Returns its address."""
        items = [{"id": self.base + path, "type": "Manifest"} for path in paths]
        self.files["/c.json"] = {"type": "Collection", "items": items, **extra}
        return f"{self.base}/c.json"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                owner.asked.append(self.path)
                file = owner.files.get(self.path, 404)
                status = file if isinstance(file, int) else 200
                data = file if isinstance(file, bytes) else json.dumps(file).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: Any) -> None:
                pass

        return Handler


@contextmanager
def documents() -> Iterator[Documents]:
    """A running server without files."""
    served = Documents()
    with serving(served.server):
        yield served


def iiif_config(folder: Path, source: str, *overrides: str, download: str = "") -> Config:
    """Settings that read `source`, with a root in `folder`."""
    quick = "private_networks: true, per_second: 2000, attempts: 1, timeout: 5, robots: false"
    return load_config(
        None,
        [
            f"root={folder}/root",
            "catalog.reader=iiif",
            f"catalog.source={source}",
            f"catalog.download={{{quick}{download}}}",
            *overrides,
        ],
    )


def read(
    folder: Path, source: str, *overrides: str, download: str = ""
) -> tuple[list[Json], Notes]:
    """A collection's rows and what was noted."""
    notes = Notes()
    config = iiif_config(folder, source, *overrides, download=download)
    return catalog.read_catalog(config, notes).to_pylist(), notes


def jpeg(seed: int = 0) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((64, 48 + seed), 60).convert("RGB").save(buffer, "JPEG")
    return buffer.getvalue()


def service(base: str = "https://x.test/iiif/a", level: int = 2, **extra: Any) -> Json:
    """An image service of version 2."""
    profile = f"http://iiif.io/api/image/2/level{level}.json"
    return {"@id": base, "@context": "http://iiif.io/api/image/2/context.json", "profile": profile, **extra}  # fmt: skip


def image(url: str = "https://x.test/plain.jpg", **extra: Any) -> Json:
    """An image body of Presentation 3, 6000 × 4000 pixels large."""
    return {"id": url, "type": "Image", "width": 6000, "height": 4000, **extra}


def manifest(*bodies: Any, **extra: Any) -> Json:
    """A manifest of Presentation 3 with a canvas for each body."""
    canvases = [
        {"type": "Canvas", "items": [{"type": "AnnotationPage", "items": [_painting(body)]}]}
        for body in bodies
    ]
    return {"type": "Manifest", "label": {"en": ["A"]}, "items": canvases, **extra}


def manifest_2(*resources: Any, **extra: Any) -> Json:
    """A manifest of Presentation 2 with a canvas for each resource."""
    canvases = [
        {"@type": "sc:Canvas", "images": [{"@type": "oa:Annotation", "resource": resource}]}
        for resource in resources
    ]
    sequence = {"@type": "sc:Sequence", "canvases": canvases}
    return {"@type": "sc:Manifest", "label": "A", "sequences": [sequence], **extra}


def _painting(body: Any) -> Json:
    return {"type": "Annotation", "motivation": "painting", "body": body}

"""A IIIF server on loopback: a paged collection of manifests, their image services, any size.

Counts what it was asked, and answers conditional requests. Whole images are of one colour; a part of
one is as iiif_parts.py has it.
"""

from __future__ import annotations

import io
import json
import re
import ssl
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from PIL import Image

from tests.support.iiif_parts import FACTORS, PART, cut_part
from tests.support.serving import serving

MASTER = (6000, 4000)  # the size of every image


class IiifServer:
    """`version` 2 or 3 of both APIs; `level` of the image service, and the side of the tiles that it
    names, if any. With a `certificate` (and its key, in one file) it speaks TLS."""

    def __init__(
        self,
        images: int,
        pages: int,
        version: int,
        level: int = 2,
        *,
        tile: int | None = None,
        certificate: Path | None = None,
    ) -> None:
        self.images, self.pages, self.version, self.level = images, pages, version, level
        self.asked: list[str] = []
        self.statuses: Counter[int] = Counter()
        self.edition = 1  # part of every ETag
        self.robots = ""
        self.max_width: int | None = None
        self.tile = tile
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            # TLS handshakes take place in the request's thread, so a slow visitor keeps nobody waiting.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        scheme = "http" if certificate is None else "https"
        self.base = f"{scheme}://127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def running(self) -> Iterator[IiifServer]:
        with serving(self._server):
            yield self

    @property
    def collection(self) -> str:
        return f"{self.base}/collection.json"

    def asked_for(self, pattern: str) -> list[str]:
        return [path for path in self.asked if re.search(pattern, path)]

    def document(self, path: str) -> Any:
        if path == "/collection.json":
            return self._collection(None)
        if match := re.fullmatch(r"/page/(\d+)\.json", path):
            return self._collection(int(match.group(1)))
        if match := re.fullmatch(r"/m/(\d+)/manifest\.json", path):
            return self._manifest(int(match.group(1)))
        if match := re.fullmatch(r"/image/(\d+)/info\.json", path):
            return self._service(int(match.group(1)), whole=True)
        return None

    def _collection(self, page: int | None) -> dict[str, Any]:
        if page is None:
            if self.version == 3:
                items = [
                    {
                        "id": f"{self.base}/page/{number}.json",
                        "type": "Collection",
                        "label": {"en": [f"Page {number}"]},
                    }
                    for number in range(self.pages)
                ]
                return {
                    "@context": "http://iiif.io/api/presentation/3/context.json",
                    "id": self.collection,
                    "type": "Collection",
                    "label": {"en": ["All"]},
                    "items": items,
                }
            return {
                "@context": "http://iiif.io/api/presentation/2/context.json",
                "@id": self.collection,
                "@type": "sc:Collection",
                "label": "All",
                "total": self.images,
                "first": f"{self.base}/page/0.json",
            }
        size = -(-self.images // self.pages)
        numbers = range(page * size, min(self.images, (page + 1) * size))
        address = f"{self.base}/page/{page}.json"
        if self.version == 3:
            items = [
                {
                    "id": f"{self.base}/m/{n}/manifest.json",
                    "type": "Manifest",
                    "label": {"en": [str(n)]},
                }
                for n in numbers
            ]
            return {"id": address, "type": "Collection", "label": {"en": ["Page"]}, "items": items}
        manifests = [
            {"@id": f"{self.base}/m/{n}/manifest.json", "@type": "sc:Manifest", "label": str(n)}
            for n in numbers
        ]
        following = {"next": f"{self.base}/page/{page + 1}.json"} if page + 1 < self.pages else {}
        return {
            "@id": address,
            "@type": "sc:Collection",
            "label": "Page",
            "manifests": manifests,
            **following,
        }

    def _manifest(self, n: int) -> dict[str, Any]:
        return self._manifest_3(n) if self.version == 3 else self._manifest_2(n)

    def _manifest_3(self, n: int) -> dict[str, Any]:
        width, height = MASTER
        address = f"{self.base}/m/{n}/manifest.json"
        image = f"{self.base}/image/{n}/full/full/0/default.jpg"
        body = {
            "id": image,
            "type": "Image",
            "format": "image/jpeg",
            "width": width,
            "height": height,
            "service": [self._service(n)],
        }
        canvas = {
            "id": f"{address}/c",
            "type": "Canvas",
            "width": width,
            "height": height,
            "items": [
                {
                    "type": "AnnotationPage",
                    "items": [{"type": "Annotation", "motivation": "painting", "body": body}],
                }
            ],
        }
        return {
            "id": address,
            "type": "Manifest",
            "label": {"de": [f"Bild {n}"], "en": [f"Picture {n}"]},
            "metadata": [
                {"label": {"en": ["Artist"]}, "value": {"none": ["Ann", "Bob"]}},
                {"label": {"en": ["Date"]}, "value": {"none": ["1884"]}},
            ],
            "rights": "http://creativecommons.org/publicdomain/mark/1.0/",
            "requiredStatement": {
                "label": {"en": ["Attribution"]},
                "value": {"en": ["<b>Test Museum</b> &amp; Friends"]},
            },
            "homepage": [{"id": f"https://museum.test/{n}", "type": "Text"}],
            "items": [canvas],
        }

    def _manifest_2(self, n: int) -> dict[str, Any]:
        width, height = MASTER
        address = f"{self.base}/m/{n}/manifest.json"
        image = f"{self.base}/image/{n}/full/full/0/default.jpg"
        resource = {
            "@id": image,
            "@type": "dctypes:Image",
            "width": width,
            "height": height,
            "service": self._service(n),
        }
        canvas = {
            "@id": f"{address}/c",
            "@type": "sc:Canvas",
            "label": "recto",
            "width": width,
            "height": height,
            "images": [{"@type": "oa:Annotation", "resource": resource}],
        }
        return {
            "@context": "http://iiif.io/api/presentation/2/context.json",
            "@id": address,
            "@type": "sc:Manifest",
            "label": [
                {"@value": f"Bild {n}", "@language": "de"},
                {"@value": f"Picture {n}", "@language": "en"},
            ],
            "metadata": [
                {"label": "Artist", "value": ["Ann", "Bob"]},
                {"label": [{"@value": "Date", "@language": "en"}], "value": "1884"},
            ],
            "license": "http://creativecommons.org/publicdomain/mark/1.0/",
            "attribution": "<b>Test Museum</b> &amp; Friends",
            "related": {"@id": f"https://museum.test/{n}"},
            "sequences": [{"@type": "sc:Sequence", "canvases": [canvas]}],
        }

    def _service(self, n: int, *, whole: bool = False) -> dict[str, Any]:
        width, height = MASTER
        if self.version == 3:
            service: dict[str, Any] = {
                "id": f"{self.base}/image/{n}",
                "type": "ImageService3",
                "profile": f"level{self.level}",
            }
        else:
            service = {
                "@context": "http://iiif.io/api/image/2/context.json",
                "@id": f"{self.base}/image/{n}",
                "profile": [f"http://iiif.io/api/image/2/level{self.level}.json"],
            }
        if whole:
            service |= {
                "width": width,
                "height": height,
                "sizes": [{"width": w, "height": w * 2 // 3} for w in (150, 600, 1500, 3000)],
            }
            if self.max_width is not None:
                service["maxWidth"] = self.max_width
            if self.tile is not None:
                service["tiles"] = [{"width": self.tile, "scaleFactors": list(FACTORS)}]
        return service

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement

            def do_GET(self) -> None:
                owner.asked.append(self.path)
                if self.path == "/robots.txt":
                    return self._send(200 if owner.robots else 404, owner.robots.encode())
                etag = f'"{owner.edition}-{self.path}"'
                document = owner.document(self.path)
                match = re.fullmatch(r"/image/(\d+)/full/([^/]+)/0/default\.jpg", self.path)
                if part := PART.fullmatch(self.path):
                    cut = cut_part(part, MASTER, owner.level, owner.tile)
                    return self._send(200 if cut else 400, cut or b"")
                if document is None and match is None:
                    return self._send(404, b"")
                if self.headers.get("If-None-Match") == etag:
                    return self._send(304, b"", etag)
                if document is not None:
                    return self._send(200, json.dumps(document).encode(), etag)
                assert match is not None
                return self._send(200, picture(int(match.group(1)) + owner.edition), etag)

            def _send(self, status: int, body: bytes, etag: str | None = None) -> None:
                owner.statuses[status] += 1
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                if etag:
                    self.send_header("ETag", etag)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                pass

        return Handler


def picture(number: int) -> bytes:
    """A small JPEG, another for each number."""
    buffer = io.BytesIO()
    colour = (number % 256, number // 256 % 256, 99)
    Image.new("RGB", (48, 32), colour).save(buffer, "JPEG")
    return buffer.getvalue()

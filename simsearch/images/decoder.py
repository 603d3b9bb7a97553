"""The process that `images.bounded` talks to: files in on standard input, pixels out."""

from __future__ import annotations

import json
import logging
import resource
import signal
import sys
from typing import BinaryIO

from simsearch.images.bounded import ANSWER, HEADER
from simsearch.images.decode import decode
from simsearch.images.limits import ImageError, Limits


def main() -> None:
    source, target = sys.stdin.buffer, sys.stdout.buffer
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is its parent's to answer
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # a broken file becomes a reject
    while head := source.read(HEADER.size):
        settings, size = HEADER.unpack(head)
        limits = Limits(**json.loads(source.read(settings)))
        _limit_memory(limits.max_memory)
        _answer(source.read(size), limits, target)


def _answer(data: bytes, limits: Limits, target: BinaryIO) -> None:
    signal.setitimer(signal.ITIMER_REAL, limits.max_seconds)
    try:
        image = decode(
            data,
            max_pixels=limits.max_pixels,
            max_bytes=limits.max_bytes,
            background=limits.background,
            side=limits.side,
        )
        pixels = image.tobytes()
        head = ANSWER.pack(b"p", image.width, image.height)
    except ImageError as error:
        pixels = json.dumps([error.reason, error.detail]).encode()
        head = ANSWER.pack(b"e", len(pixels), 0)
    except MemoryError:
        pixels = json.dumps(["too much memory", "for its pixels"]).encode()
        head = ANSWER.pack(b"e", len(pixels), 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    target.write(head)
    target.write(pixels)
    target.flush()


def _limit_memory(size: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard != resource.RLIM_INFINITY:
        size = min(size, hard)
    resource.setrlimit(resource.RLIMIT_AS, (size, hard))


if __name__ == "__main__":
    main()

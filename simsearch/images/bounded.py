"""Decoding in a process of its own, so that no file can block a worker, exhaust its memory or crash it.

Each caller keeps a small process between images. Before each image the process sets an alarm that kills
it, even within a decoder's C code. Its address space is limited from the start.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import asdict

from PIL import Image

from simsearch.images.limits import ImageError, Limits

HEADER = struct.Struct(">IQ")  # bytes of the settings, bytes of the file
ANSWER = struct.Struct(">cII")  # b"p" with width and height, b"e" with the bytes of a reason
GRACE = 10.0  # seconds after the alarm at which the process is given up

_idle: list[_Decoder] = []
_owner = os.getpid()
_lock = threading.Lock()


def decode_within(data: bytes, limits: Limits) -> Image.Image:
    """`decode.decode` within the limits. Raises ImageError.

    The time counts from the start of decoding. A decoder that crashes costs only its image.
    """
    decoder = _take()
    try:
        image = decoder.decode(data, limits)
    except ImageError:
        if decoder.alive():
            _give_back(decoder)
        raise
    except BaseException:
        decoder.end()
        raise
    _give_back(decoder)
    return image


def _take() -> _Decoder:
    global _idle, _owner
    with _lock:
        if _owner != os.getpid():  # a forked child must not talk to its parent's decoder
            _idle, _owner = [], os.getpid()
        return _idle.pop() if _idle else _Decoder()


def _give_back(decoder: _Decoder) -> None:
    with _lock:
        _idle.append(decoder)


class _Decoder:
    """The process, started anew after it was killed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def decode(self, data: bytes, limits: Limits) -> Image.Image:
        if not data:  # spares the round trip
            raise ImageError("empty file", "0 bytes")
        if len(data) > limits.max_bytes:
            raise ImageError("too many bytes", f"more than {limits.max_bytes:,}")
        process = self._process if self.alive() else self._start()
        assert process is not None
        assert process.stdin is not None
        settings = json.dumps(asdict(limits)).encode()
        with suppress(BrokenPipeError):
            process.stdin.write(HEADER.pack(len(settings), len(data)) + settings)
            process.stdin.write(data)
            process.stdin.flush()
        return self._answer(process, limits)

    def _answer(self, process: subprocess.Popen[bytes], limits: Limits) -> Image.Image:
        assert process.stdout is not None
        with selectors.DefaultSelector() as answers:  # select() takes no descriptor above 1,023
            answers.register(process.stdout, selectors.EVENT_READ)
            ready = answers.select(limits.max_seconds + GRACE)
        head = process.stdout.read(ANSWER.size) if ready else b""
        if len(head) < ANSWER.size:
            raise self._death(limits)
        kind, first, second = ANSWER.unpack(head)
        body = process.stdout.read(first if kind == b"e" else first * second * 3)
        if kind == b"e":
            raise ImageError(*json.loads(body))
        return Image.frombytes("RGB", (first, second), body)

    def _death(self, limits: Limits) -> ImageError:
        process, self._process = self._process, None
        assert process is not None
        try:
            code = process.wait(1)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            code = -signal.SIGALRM
        if code == -signal.SIGALRM:
            return ImageError(
                "too slow", f"not decoded after images.max_seconds {limits.max_seconds:g}"
            )
        if code == -signal.SIGKILL:
            return ImageError("too much memory", "the system ended its decoder")
        return ImageError("broken", f"its decoder crashed (exit code {code})")

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "OPENBLAS_NUM_THREADS": "1",  # each of its threads takes address space
            "OMP_NUM_THREADS": "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "simsearch.images.decoder"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            bufsize=1 << 20,
        )
        return self._process

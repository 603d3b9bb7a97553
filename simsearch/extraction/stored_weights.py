"""Weights on their way to actors: in the root, and in a folder of each node that needs them.

Ray's object store is not used, because its objects are lost with the node that holds them: a restarted
actor would find no weights (ray#47043).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import safetensors.torch

from simsearch.encoders.encoder import Weights
from simsearch.errors import MismatchError
from simsearch.storage.cached import file_digest
from simsearch.storage.storage import Storage
from simsearch.storage.uris import is_local, local_path

FOLDER = "weights"
CACHE_VARIABLE = "SIMSEARCH_CACHE"


@dataclass(frozen=True)
class StoredWeights:
    """Weights in a root, by the SHA-256 of their file."""

    storage: Storage
    sha256: str
    size: int  # bytes
    described: Weights  # all but the content
    tensors: bool  # whether the content is tensors by name, or a file's bytes

    @classmethod
    def store(cls, storage: Storage, weights: Weights) -> StoredWeights:
        """Store the content in the root, unless it is there already."""
        content = weights.content
        tensors = not isinstance(content, bytes)
        data = safetensors.torch.save(content) if tensors else content
        sha256 = hashlib.sha256(data).hexdigest()
        described = replace(weights, content=None)
        stored = cls(storage, sha256, len(data), described, tensors)
        if not storage.exists(stored.path):
            storage.write_bytes(stored.path, data)
        return stored

    @property
    def path(self) -> str:
        """The path of the weights' file below the root."""
        return f"{FOLDER}/{self._file_name}"

    @property
    def _file_name(self) -> str:
        return f"{self.sha256}.{'safetensors' if self.tensors else 'bin'}"

    def load(self) -> Weights:
        """The weights, fetched once per node. Raises MismatchError if the file has changed."""
        file = self._local()
        content = safetensors.torch.load_file(file) if self.tensors else file.read_bytes()
        return replace(self.described, content=content)

    def _local(self) -> Path:
        uri = self.storage.uri(self.path)
        if is_local(uri):
            file = Path(local_path(uri))
            self._check(file)
            return file
        folder = weights_folder()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = folder / self._file_name
        with (folder / f"{self.sha256}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # the node's other actors wait for the first
            if not file.exists() or file_digest(file) != self.sha256:
                self.storage.download(self.path, file)
                self._check(file)
        return file

    def _check(self, file: Path) -> None:
        if file_digest(file) != self.sha256:
            stored = self.storage.uri(self.path)
            raise MismatchError(
                f"{stored}: its SHA-256 is not the one in its name; remove it and run again"
            )


def weights_folder() -> Path:
    """$SIMSEARCH_CACHE, else a folder of this user among the temporary files."""
    named = os.environ.get(CACHE_VARIABLE)
    return Path(named) if named else Path(tempfile.gettempdir()) / f"simsearch-{os.getuid()}"

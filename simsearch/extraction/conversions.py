"""Networks converted for ONNX Runtime, stored in the root beside their weights.

weights/<sha256>.bin           the ONNX model
weights/converted/<key>.json   the model's SHA-256, or why there is no model; written last. The key is
                               made of the weights, the network, and the versions of the software
                               that converts and runs it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace

from simsearch.encoders.converted import convert, versions
from simsearch.encoders.network_specification import NetworkSpecification
from simsearch.errors import NotFoundError, WeightsError
from simsearch.extraction.stored_weights import FOLDER, StoredWeights
from simsearch.images.preprocessing import Preprocessing


@dataclass(frozen=True)
class Conversion:
    """The result of converting a network. `model` is None if the conversion was refused. `note` says how
    close its vectors are to PyTorch's, or why the conversion was refused."""

    model: StoredWeights | None
    note: str


@dataclass(frozen=True)
class Conversions:
    """The conversions of one network, whose weights are in a root."""

    network: NetworkSpecification
    weights: StoredWeights
    preprocessing: Preprocessing

    @property
    def path(self) -> str:
        """The path below the root of the file with the conversion's result."""
        decided_by = {
            "network": self.network.name,
            "layer": self.network.layer,
            "weights": self.weights.sha256,
            "side": self.preprocessing.crop,
            **versions(),
        }
        digest = hashlib.sha256(json.dumps(decided_by, sort_keys=True).encode()).hexdigest()
        return f"{FOLDER}/converted/{digest[:32]}.json"

    def read(self) -> Conversion | None:
        """The result of an earlier conversion. None if there was none, or if its model is gone."""
        storage = self.weights.storage
        try:
            record = storage.read_json(self.path)
        except NotFoundError:
            return None
        if record["sha256"] is None:
            return Conversion(None, record["note"])
        model = replace(self.weights, sha256=record["sha256"], size=record["size"], tensors=False)
        return Conversion(model, record["note"]) if storage.exists(model.path) else None

    def make(self) -> Conversion:
        """Convert the network and store the result, even if it is a refusal."""
        storage, described = self.weights.storage, self.weights.described
        model, note = None, ""
        try:
            data, cosine = convert(self.network, self.weights.load(), self.preprocessing)
            note = f"converted; trial vectors within cosine {cosine:.6f} of PyTorch's"
            model = StoredWeights.store(storage, replace(described, content=data))
        except WeightsError as error:
            note = str(error)
        record = {
            "network": self.network.name,
            "sha256": model and model.sha256,
            "size": model and model.size,
            "note": note,
            "versions": versions(),
        }
        storage.write_json(self.path, record)
        return Conversion(model, note)

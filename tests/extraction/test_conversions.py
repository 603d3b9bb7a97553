"""Converted networks: kept once by weights and versions, refusals too, proved by digest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from torch import nn

from simsearch.encoders.network_specification import NetworkSpecification
from simsearch.encoders.registry import get_encoder
from simsearch.errors import MismatchError
from simsearch.extraction import conversions
from simsearch.extraction.conversions import Conversions
from simsearch.extraction.stored_weights import StoredWeights
from simsearch.storage.storage import Storage
from tests.support.networks import CONFIG, weights_of


def of(storage: Storage, seed: int = 0) -> Conversions:
    encoder = get_encoder("squeezenet1_1", CONFIG)
    assert isinstance(encoder, NetworkSpecification)
    stored = StoredWeights.store(storage, weights_of("squeezenet1_1", f"random:{seed}"))
    return Conversions(encoder, stored, encoder.preprocessing)


@pytest.mark.slow
def test_a_conversion_is_kept_by_weights_and_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = Storage(str(tmp_path))
    assert of(storage).read() is None
    conversion = of(storage).make()
    assert of(storage).read() == conversion
    assert conversion.model is not None
    assert len(conversion.model.load().content) == conversion.model.size
    assert of(storage, seed=1).read() is None
    with monkeypatch.context() as patch:
        patch.setattr(conversions, "versions", lambda: {"onnxruntime": "another"})
        assert of(storage).read() is None
    storage.write_bytes(conversion.model.path, b"somebody else's")
    with pytest.raises(MismatchError):
        conversion.model.load()
    storage.delete(conversion.model.path)
    assert of(storage).read() is None  # and is made again


@pytest.mark.slow
def test_a_refusal_is_kept_so_that_no_night_tries_again(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))

    class ByItsNumbers(nn.Module):
        def forward(self, vectors: object) -> object:
            raise RuntimeError("nothing to be converted")

    whole = of(storage)
    broken = replace(
        whole,
        network=replace(
            whole.network,
            features=lambda network: nn.Sequential(network, ByItsNumbers()),
            traceable=False,
        ),
    )
    refused = broken.make()
    assert refused.model is None
    assert "cannot be converted to ONNX" in refused.note
    assert broken.read() == refused

"""On every machine, a network computes in the precision that its stored vectors have."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simsearch import schemas
from simsearch.encoders.encoder import Running, Weights
from simsearch.extraction import networks
from simsearch.extraction.networks import PreparedNetwork, prepare_networks
from simsearch.features.space import ONNX_RUNTIME, FeatureSpace
from simsearch.features.store import write_shard
from simsearch.images.preprocessing import Preprocessing
from simsearch.settings.config import Config, load_config
from simsearch.storage.parts import write_part
from simsearch.storage.storage import Storage
from tests.support.machines import MACHINES, PLAIN, TILES, Machine
from tests.support.spaces import rows

PRECISIONS = ("float32", "float16", "bfloat16")
DIMENSION = 4
EVERYWHERE = frozenset(PRECISIONS)


SHOWN = Preprocessing(8, 8, "bilinear", (0.0,) * 3, (1.0,) * 3)


@dataclass(frozen=True)
class StandIn:
    """An encoder of one number per image that runs in some precisions only."""

    runs: frozenset[str] = EVERYWHERE
    finite: bool = True
    name: str = "stand-in"
    dimension: int = DIMENSION
    layer: str = "last"
    licence: str = "none"
    preprocessing: Preprocessing = SHOWN
    precision: str | None = None
    can_run_as_studied: bool = False

    def weights(self, sources: Sequence[str], config: Any) -> Weights:
        return Weights("random:0", "0" * 64, False, b"weights", 7)

    def at_hand(self, sources: Sequence[str], config: Any) -> str | None:
        return "random:0"

    def load(self, weights: Weights, running: Running) -> Any:
        if running.precision not in self.runs:
            raise RuntimeError(f'"conv" not implemented for {running.precision}')
        number = 1.0 if self.finite or running.precision == "float32" else np.inf
        return lambda pixels: np.full((len(pixels), DIMENSION), number, dtype=np.float32)


ANYWHERE = StandIn()


def prepared(
    root: str,
    machine: Machine,
    *,
    encoder: StandIn = ANYWHERE,
    precision: str = "auto",
    catalog: pa.Table | None = None,
) -> PreparedNetwork:
    """The network as a run on that machine prepares it."""
    words = [f"root={root}", "extract.backbones=[stand-in]", f"extract.precision={precision}"]
    config: Config = load_config(None, [*words, "perturbations.profiles=[]"])
    table = schemas.CATALOG.empty_table() if catalog is None else catalog
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(networks, "encoder_of", lambda *_: encoder)
        machine.simulate(patch)
        (network,) = prepare_networks(config, machine.device, table)
    return network


def store(root: str, space: FeatureSpace, names: Sequence[str]) -> None:
    vectors = np.ones((len(names), DIMENSION), dtype=np.float32)
    write_shard(Storage(root), space, rows(list(names)), vectors)


def begin(root: str, counts: Mapping[str, int]) -> dict[str, FeatureSpace]:
    """Store so many vectors in each precision; the spaces that have some."""
    spaces = {}
    for precision, count in counts.items():
        space = prepared(root, PLAIN, precision=precision).space
        if count:
            spaces[precision] = space
            store(root, space, [f"{precision}-{number}" for number in range(count)])
    return spaces


@pytest.mark.slow
@given(
    st.fixed_dictionaries({precision: st.integers(0, 2) for precision in PRECISIONS}),
    st.sampled_from(MACHINES),
    st.sets(st.sampled_from(PRECISIONS)),
)
def test_what_is_stored_decides_wherever_it_runs_and_the_machine_where_nothing_is(
    counts: dict[str, int], machine: Machine, runs: set[str]
) -> None:
    with tempfile.TemporaryDirectory() as root:
        fresh = prepared(root, machine).space
        begun = begin(root, counts)
        # What the hardware is fast at runs, as does float32.
        encoder = StandIn(frozenset({*runs, "float32", fresh.precision, *fast(machine)}))
        running = [precision for precision in begun if precision in encoder.runs]
        network = prepared(root, machine, encoder=encoder)
    if running:
        most = max(running, key=lambda precision: (counts[precision], -PRECISIONS.index(precision)))
        assert network.space == begun[most]
        assert f"{most} goes on with its {counts[most]:,} vectors" in network.precision_reason
    else:
        assert network.space.fingerprint == fresh.fingerprint
        for precision in begun:
            assert f"{precision} does not run here" in network.precision_reason


def fast(machine: Machine) -> tuple[str, ...]:
    """The precisions that a machine is fast at, from the makers' tables."""
    if machine.capability is None:
        return ("bfloat16",) if machine.tiles else ()
    return {6: (), 7: ("float16",), 9: ("float16", "bfloat16")}[machine.capability[0]]


@pytest.mark.parametrize("second", MACHINES, ids=str)
@pytest.mark.parametrize("first", MACHINES, ids=str)
def test_a_root_begun_on_one_machine_has_the_same_spaces_on_every_other(
    first: Machine, second: Machine, tmp_path: Any
) -> None:
    root = str(tmp_path)
    begun = prepared(root, first).space
    store(root, begun, ["a"])
    assert prepared(root, second).space.fingerprint == begun.fingerprint


def test_a_set_precision_is_taken_on_every_machine_whatever_is_stored(tmp_path: Any) -> None:
    begin(str(tmp_path), {"bfloat16": 2, "float16": 1})
    for machine in MACHINES:
        for precision in PRECISIONS:
            network = prepared(str(tmp_path), machine, precision=precision)
            assert network.space.precision == precision
            assert network.precision_reason.startswith("as set")


def test_vectors_of_the_catalog_count_before_those_of_artworks_that_left(tmp_path: Any) -> None:
    root = str(tmp_path)
    spaces = begin(root, {"float32": 2})
    bfloat16 = prepared(root, TILES, precision="bfloat16").space
    store(root, bfloat16, ["here"])
    store(root, spaces["float32"], ["gone-1", "gone-2", "gone-3"])
    artwork = {"artwork_id": "here", "image_uri": "file:///here", "etag": "1"}
    source = {**artwork, "content_hash": "hash-here"}
    write_part(Storage(root), "sources", [source], schemas.SOURCES)
    catalog = pa.Table.from_pylist([artwork], schema=schemas.CATALOG)
    assert prepared(root, PLAIN, catalog=catalog).space == bfloat16


def test_vectors_of_the_other_engine_are_float32s_too(tmp_path: Any) -> None:
    root = str(tmp_path)
    float32 = prepared(root, PLAIN).space
    store(root, replace(float32, engine=ONNX_RUNTIME), ["a", "b"])
    network = prepared(root, TILES)
    assert network.space.precision == "float32"
    assert "float32 goes on with its 2 vectors" in network.precision_reason


@pytest.mark.parametrize("machine", MACHINES, ids=str)
def test_what_onnx_runtime_began_is_never_computed_anew_without_a_word(
    tmp_path: Any, caplog: pytest.LogCaptureFixture, machine: Machine
) -> None:
    root = str(tmp_path)
    float32 = prepared(root, PLAIN).space
    store(root, replace(float32, engine=ONNX_RUNTIME), ["a", "b"])
    caplog.clear()
    reason = prepared(root, machine).precision_reason
    warnings = [row.message for row in caplog.records if "anew" in row.message]
    anew = "PyTorch computes all vectors anew: 2 stored ones are of ONNX Runtime, which computes"
    assert reason.startswith(anew) == (machine.device == "cuda")
    assert warnings == ([f"stand-in: {reason}"] if machine.device == "cuda" else [])
    store(root, float32, ["a", "b"])
    assert "anew" not in prepared(root, machine).precision_reason


def test_what_cannot_run_is_computed_anew_and_the_log_says_why(
    tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    root = str(tmp_path)
    begin(root, {"float16": 2})
    for encoder, why in (
        (StandIn(frozenset({"float32"})), '"conv" not implemented for float16'),
        (StandIn(finite=False), "its vectors are not finite"),
    ):
        caplog.clear()
        assert prepared(root, PLAIN, encoder=encoder).space.precision == "float32"
        (warning,) = [row.message for row in caplog.records if "anew" in row.message]
        assert warning == (
            "stand-in: all vectors are computed anew in float32: float16 does not run here "
            f"({why}); this CPU is fast at nothing shorter"
        )


def test_a_slow_precision_goes_on_and_the_log_says_how_to_change_it(tmp_path: Any) -> None:
    begin(str(tmp_path), {"bfloat16": 1})
    reasons = {machine: prepared(str(tmp_path), machine).precision_reason for machine in MACHINES}
    slow = {machine for machine, reason in reasons.items() if ", slowly on this" in reason}
    assert slow == {machine for machine in MACHINES if "bfloat16" not in fast(machine)}
    assert all(
        "extract.precision=float32 computes all anew" in reasons[machine] for machine in slow
    )

"""What a training came to, in words."""

from typing import Any

import pytest

from simsearch.encoders.trained import Training
from simsearch.reading.training_log import training_row


def a_training(of: dict[str, Any], chosen: dict[str, float]) -> Training:
    return Training(
        name="whitening",
        settings={"of": {"kind": "whitening", "dimensions": None, **of}},
        fitted_for="lite0-1",
        dimension=4,
        profiles=("crop-4",),
        artworks=900,
        images=1200,
        held_out={},
        losses=(),
        seconds=1.0,
        device="cpu",
        data_sha256="0",
        weights_sha256="0" * 64,
        code_version="0",
        created="2026-01-01T00:00:00+00:00",
        chosen=chosen,
    )


TRIED = {
    "held_out": 300.0,
    "encoder_micro_ap": 0.602,
    "changed": 1.0,
    "judged": 1.0,
    "micro_ap": 0.749,
}
SAME = {**TRIED, "changed": 0.0, "micro_ap": 0.602}


@pytest.mark.parametrize(
    ("of", "chosen", "words"),
    [
        ({}, {}, "closed form"),
        (
            {},
            {**TRIED, "dimensions": 4, "power": 1.0, "shrinkage": 0.5},
            "power 1, shrinkage 0.5, µAP 0.749 of the copies of 300 held-out works, 0.602 without",
        ),
        (
            {"kind": "denoising"},
            TRIED,
            "µAP 0.749 of the copies of 300 held-out works, 0.602 without",
        ),
        (
            {},
            SAME,
            "no change: copies of 300 held-out works were not clearly easier to find with it (µAP 0.602 without)",
        ),
        (
            {},
            {**SAME, "held_out": 10.0, "judged": 0.0},
            "no change: 10 held-out works are too few to judge it by",
        ),
        (
            {"dimensions": 4},
            SAME,
            "only a projection: copies of 300 held-out works were not clearly easier to find with it (µAP "
            "0.602 without)",
        ),
    ],
)
def test_it_says_how_a_head_was_judged(
    of: dict[str, Any], chosen: dict[str, float], words: str
) -> None:
    assert training_row("lite0", a_training(of, chosen), 0).losses == words


def test_a_manifest_of_before_has_nothing_chosen() -> None:
    values = dict(vars(a_training({}, TRIED)))
    assert Training.from_json(values, "here").chosen == TRIED
    del values["chosen"]
    assert Training.from_json(values, "here").chosen == {}

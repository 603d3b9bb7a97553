"""ONNX models: vectors against ONNX Runtime's bare session, and files that are not what they should be."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper
from PIL import Image
from torchvision import transforms

from simsearch.encoders.encoder import Running, preprocessing_for
from simsearch.encoders.onnx_specification import OnnxSpecification
from simsearch.encoders.registry import get_encoder
from simsearch.errors import NotFoundError, UsageError, WeightsError
from simsearch.settings.sections.operation import StorageConfig
from tests.support.onnx_files import CARD, DIMENSION, RAW, SIDE, model, write

CONFIG = StorageConfig()


def vectors(name: str, pixels: np.ndarray, batch_size: int = 4) -> np.ndarray:
    encoder = get_encoder(name, CONFIG)
    running = Running(encoder.preprocessing, "as exported", batch_size=batch_size, threads=1)
    return encoder.load(encoder.weights(["imagenet"], CONFIG), running)(pixels)


def pictures(count: int) -> list[Image.Image]:
    random = np.random.default_rng(1)
    return [
        Image.fromarray(random.integers(0, 256, (50 + 9 * number, 70, 3), dtype=np.uint8))
        for number in range(count)
    ]


def shown(name: str, images: list[Image.Image]) -> np.ndarray:
    return np.stack([get_encoder(name, CONFIG).preprocessing.pixels(image) for image in images])


def bare(path: str, given: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(["vector"], {"pixels": given})[0])


@pytest.mark.slow
def test_vectors_are_those_of_a_bare_session_on_torchvisions_transforms(tmp_path: Path) -> None:
    name = write(tmp_path, model())
    images = pictures(5)
    theirs = transforms.Compose(
        [
            transforms.Resize(40),
            transforms.CenterCrop(SIDE),
            transforms.ToTensor(),
            transforms.Normalize(CARD["preprocessing"]["mean"], CARD["preprocessing"]["std"]),
        ]
    )
    given = np.stack([theirs(image).numpy() for image in images])
    from_onnx = vectors(name, shown(name, images))
    assert from_onnx.shape == (5, DIMENSION)
    assert from_onnx.dtype == np.float32
    np.testing.assert_allclose(
        from_onnx, bare(name.removeprefix("onnx:"), given), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_a_uint8_input_gets_raw_pixels_of_the_whole_picture(tmp_path: Path, layout: str) -> None:
    card = {**RAW, "input": {**RAW["input"], "layout": layout}}
    name = write(tmp_path, model(number="uint8", layout=layout), card)
    images = pictures(3)
    given = np.stack(
        [np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR)) for image in images]
    )
    if layout == "NCHW":
        given = np.ascontiguousarray(given.transpose(0, 3, 1, 2))
    expected = bare(name.removeprefix("onnx:"), given)
    np.testing.assert_allclose(vectors(name, shown(name, images)), expected, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("batch", ["N", 3])
def test_a_vector_does_not_depend_on_the_images_beside_it(tmp_path: Path, batch: int | str) -> None:
    name = write(tmp_path, model(batch=batch))
    many = shown(name, pictures(7))
    together = vectors(name, many)
    alone = np.concatenate([vectors(name, many[row : row + 1]) for row in range(7)])
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(together, vectors(name, many[::-1])[::-1])


def with_data_outside(folder: Path, location: str) -> str:
    onnx_model = model()
    onnx.save(
        onnx_model, folder / "small.onnx", save_as_external_data=True, location="small.data",
        size_threshold=0,
    )  # fmt: skip
    if location != "small.data":
        stored = onnx.load(folder / "small.onnx", load_external_data=False)
        for tensor in stored.graph.initializer:
            for entry in tensor.external_data:
                if entry.key == "location":
                    entry.value = location
        (folder / "small.onnx").write_bytes(stored.SerializeToString())
    return f"onnx:{folder}/small.onnx"


def test_data_beside_the_model_is_drawn_in_and_part_of_its_digest(tmp_path: Path) -> None:
    inside = write(tmp_path / "inside", model())
    write(tmp_path / "outside", model())
    outside = with_data_outside(tmp_path / "outside", "small.data")
    many = shown(inside, pictures(2))
    np.testing.assert_array_equal(vectors(outside, many), vectors(inside, many))
    digest = get_encoder(outside, CONFIG).weights([], CONFIG).digest
    data = bytearray((tmp_path / "outside/small.data").read_bytes())
    data[3] ^= 1
    (tmp_path / "outside/small.data").write_bytes(data)
    assert get_encoder(outside, CONFIG).weights([], CONFIG).digest != digest


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "sub/small.data", "..", "gone"])
def test_data_that_is_not_beside_the_model_is_refused(tmp_path: Path, location: str) -> None:
    (tmp_path / "secret").write_bytes(b"x" * 10_000)
    folder = tmp_path / "model"
    write(folder, model())
    name = with_data_outside(folder, location)
    with pytest.raises(WeightsError, match=r"outside its own folder|is not beside it"):
        get_encoder(name, CONFIG).weights([], CONFIG)


def test_data_shorter_than_the_model_says_is_refused(tmp_path: Path) -> None:
    write(tmp_path, model())
    name = with_data_outside(tmp_path, "small.data")
    (tmp_path / "small.data").write_bytes(b"short")
    with pytest.raises(WeightsError, match="too short for tensor"):
        get_encoder(name, CONFIG).weights([], CONFIG)


def changed(path: str, value: object) -> dict[str, Any]:
    card = copy.deepcopy(CARD)
    section, key = path.split(".")
    card[section][key] = value
    return card


@pytest.mark.parametrize(
    ("card", "told"),
    [
        (changed("input.name", "image"), r"its inputs are pixels, not image alone"),
        (changed("input.layout", "NHWC"), r"input pixels is \['N', 3, 32, 32\], not \['N', 32, 32"),
        (changed("input.type", "float16"), r"is tensor\(float\), not tensor\(float16\)"),
        (changed("preprocessing.size", 64), r"not \['N', 3, 64, 64\]"),
        (changed("output.name", "logits"), r"its outputs are vector; none is logits"),
        (changed("output.dimension", 6), r"output vector is \['N', 5\], not \['N', 6\]"),
    ],
)
def test_a_model_that_is_not_as_its_side_car_says_is_refused(
    tmp_path: Path, card: object, told: str
) -> None:
    name = write(tmp_path, model(), card)
    with pytest.raises(WeightsError, match=told) as raised:
        get_encoder(name, CONFIG).weights([], CONFIG)
    assert "mend one of the two" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("card", "told"),
    [
        ({}, "input: Field required"),
        ("not a side-car", "Input should be"),
        (changed("input.layout", "CHWN"), "input.layout: Input should be 'NHWC' or 'NCHW'"),
        (changed("preprocessing.fit", "stretch"), "preprocessing.fit: Input should be 'crop'"),
        (changed("output.dimension", 0), "output.dimension"),
        (changed("input.type", "uint8"), "a uint8 input gets raw pixels"),
        ({**CARD, "colour": "RGB"}, "colour: Extra inputs"),
    ],
)
def test_a_side_car_that_is_wrong_is_refused(tmp_path: Path, card: object, told: str) -> None:
    name = write(tmp_path, model(), card)
    with pytest.raises(UsageError, match=told) as raised:
        get_encoder(name, CONFIG)
    assert "small.onnx.json" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_side_car_or_model_is_told(tmp_path: Path) -> None:
    name = write(tmp_path, model())
    (tmp_path / "small.onnx").unlink()
    assert get_encoder(name, CONFIG).at_hand([], CONFIG) is None
    with pytest.raises(NotFoundError, match=r"small\.onnx: nothing there"):
        get_encoder(name, CONFIG).weights([], CONFIG)
    (tmp_path / "small.onnx.json").unlink()
    with pytest.raises(UsageError, match=r"no small\.onnx\.json beside it"):
        get_encoder(name, CONFIG)
    with pytest.raises(UsageError, match=r"not the URI of an \.onnx file"):
        get_encoder(f"onnx:{tmp_path}", CONFIG)


def of_opset(domain: str, version: int) -> Any:
    onnx_model = model()
    del onnx_model.opset_import[:]
    onnx_model.opset_import.extend(
        [helper.make_opsetid("", 17), helper.make_opsetid(domain, version)]
    )
    onnx_model.graph.node[1].domain = domain
    return onnx_model


@pytest.mark.parametrize("made", [of_opset("org.example", 1), of_opset("", 999)])
def test_operators_that_onnx_runtime_does_not_know_are_told(tmp_path: Path, made: Any) -> None:
    name = write(tmp_path, made)
    with pytest.raises(WeightsError, match=r"ONNX Runtime .* cannot run it") as raised:
        get_encoder(name, CONFIG).weights([], CONFIG)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("data", [b"", b"not onnx", b"\x00" * 100])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, data: bytes) -> None:
    name = write(tmp_path, model())
    (tmp_path / "small.onnx").write_bytes(data)
    with pytest.raises(WeightsError, match="not an ONNX file"):
        get_encoder(name, CONFIG).weights([], CONFIG)


def test_a_digest_beside_the_model_is_checked(tmp_path: Path) -> None:
    name = write(tmp_path, model())
    digest = hashlib.sha256((tmp_path / "small.onnx").read_bytes()).hexdigest()
    (tmp_path / "small.onnx.sha256").write_text(digest)
    assert get_encoder(name, CONFIG).weights([], CONFIG).digest == digest
    (tmp_path / "small.onnx.sha256").write_text("0" * 64)
    with pytest.raises(WeightsError, match="its SHA-256 is not the one"):
        get_encoder(name, CONFIG).weights([], CONFIG)


def test_an_output_that_turns_out_otherwise_is_told_when_it_runs(tmp_path: Path) -> None:
    name = write(tmp_path, model())
    encoder = get_encoder(name, CONFIG)
    assert isinstance(encoder, OnnxSpecification)
    weights = encoder.weights([], CONFIG)
    wrong = dataclasses.replace(encoder, dimension=8)  # like a file that leaves the size open
    with pytest.raises(WeightsError, match=r"is of shape \(4, 5\) for 4 images"):
        wrong.load(weights, Running(wrong.preprocessing, batch_size=4))(shown(name, pictures(1)))


def test_the_studys_preprocessing_does_not_fit(tmp_path: Path) -> None:
    encoder = get_encoder(write(tmp_path, model()), CONFIG)
    with pytest.raises(UsageError, match=r"extract\.preprocessing: study-2018 does not fit"):
        preprocessing_for(encoder, "study-2018")
    assert encoder.licence == "CC0-1.0"


def test_a_gpu_that_this_onnx_runtime_cannot_use_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    encoder = get_encoder(write(tmp_path, model()), CONFIG)
    weights = encoder.weights([], CONFIG)
    with pytest.raises(WeightsError, match="install onnxruntime-gpu"):
        encoder.load(weights, Running(encoder.preprocessing, device="cuda"))

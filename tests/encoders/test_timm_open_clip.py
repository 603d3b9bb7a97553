"""timm's and open_clip's networks against their own packages' forward passes and transforms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import open_clip
import pytest
import safetensors.torch
import timm
import torch
from PIL import Image
from timm.data.config import resolve_data_config
from timm.data.transforms_factory import create_transform

from simsearch.encoders.encoder import Encoder, Running, Specification
from simsearch.encoders.registry import get_encoder
from simsearch.errors import UsageError, WeightsError
from simsearch.settings.sections.operation import StorageConfig

CONFIG = StorageConfig()


def pixels(encoder: Specification, count: int = 2) -> np.ndarray:
    side = encoder.preprocessing.crop
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


def loaded(encoder: Specification, *sources: str) -> Encoder:
    weights = encoder.weights(sources or ("random:0",), CONFIG)
    return encoder.load(weights, Running(encoder.preprocessing, batch_size=2))


def normalised(encoder: Specification, given: np.ndarray) -> torch.Tensor:
    images = torch.from_numpy(given).permute(0, 3, 1, 2).float() / 255
    mean, std = (
        torch.tensor(values).view(3, 1, 1)
        for values in (encoder.preprocessing.mean, encoder.preprocessing.std)
    )
    return (images - mean) / std


@pytest.mark.slow
@pytest.mark.parametrize(
    "model", ["resnet10t", "test_vit", "test_efficientnet", "mobilenetv4_conv_small"]
)
def test_vectors_are_those_of_timms_own_network_without_classifier(
    model: str, tmp_path: Path
) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(2)
        whole = timm.create_model(model, pretrained=False)
    safetensors.torch.save_file(whole.state_dict(), tmp_path / f"{model}.safetensors")
    theirs = timm.create_model(model, pretrained=False, num_classes=0)
    theirs.load_state_dict(whole.state_dict(), strict=False)
    encoder = get_encoder(f"timm:{model}", CONFIG)
    given = pixels(encoder)
    with torch.inference_mode():
        expected = theirs.eval()(normalised(encoder, given)).numpy()
    vectors = loaded(encoder, str(tmp_path))(given)
    assert vectors.shape == (2, encoder.dimension)
    np.testing.assert_allclose(vectors, expected, rtol=1e-3, atol=1e-4)


# crop, squash and border; bilinear and bicubic
@pytest.mark.parametrize(
    "model", ["resnet50.a1_in1k", "vit_base_patch16_siglip_224.webli", "convnext_tiny.fb_in22k"]
)
@pytest.mark.parametrize("mode", ["center", "squash", "border"])
@pytest.mark.parametrize("size", [(300, 200), (200, 517), (31, 256), (101, 100)])
def test_pixels_are_those_of_timms_own_transform(
    model: str, mode: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from simsearch.encoders.backbones.timm import _preprocessing

    published = timm.models.get_pretrained_cfg(model)
    assert published is not None
    configuration = {**published.to_dict(), "crop_mode": mode}
    theirs = create_transform(**resolve_data_config(pretrained_cfg=configuration), normalize=False)
    random = np.random.default_rng(5)
    picture = Image.fromarray(random.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))
    shown = _preprocessing(model, configuration).pixels(picture)
    np.testing.assert_array_equal(shown, theirs(picture).permute(1, 2, 0).numpy())


@pytest.mark.slow
def test_timms_own_configuration_is_the_preprocessing() -> None:
    siglip = get_encoder("timm:vit_base_patch16_siglip_224.webli", CONFIG)
    assert siglip.preprocessing.mean == (0.5, 0.5, 0.5)
    assert siglip.licence == "apache-2.0"
    assert get_encoder("timm:resnet50.a1_in1k", CONFIG).dimension == 2048


def test_an_unknown_model_names_those_like_it() -> None:
    with pytest.raises(UsageError, match=r"no encoder named 'timm:resnet5O'; timm has .*resnet50"):
        get_encoder("timm:resnet5O", CONFIG)
    with pytest.raises(UsageError, match=r"timm has .*resnet50\."):
        get_encoder("timm:resnet50.no_such_tag", CONFIG)
    with pytest.raises(UsageError, match=r"no encoder named 'open_clip:ViT-B-32/nobody'"):
        get_encoder("open_clip:ViT-B-32/nobody", CONFIG)


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    state = timm.create_model("test_vit").state_dict()
    safetensors.torch.save_file(state, tmp_path / "resnet10t.safetensors")
    with pytest.raises(WeightsError, match=r"not weights of timm:resnet10t \(no conv1"):
        get_encoder("timm:resnet10t", CONFIG).weights([str(tmp_path)], CONFIG)


@pytest.mark.slow
def test_open_clips_image_tower_is_taken_from_a_file_of_the_whole_model(tmp_path: Path) -> None:
    name = "RN50-quickgelu/openai"
    with torch.random.fork_rng():
        torch.manual_seed(3)
        text = {"context_length": 77, "vocab_size": 512, "width": 512, "heads": 8, "layers": 1}
        whole = open_clip.create_model("RN50", force_quick_gelu=True, text_cfg=text).eval()
    safetensors.torch.save_file(whole.state_dict(), tmp_path / "RN50-quickgelu-openai.safetensors")
    encoder = get_encoder(f"open_clip:{name}", CONFIG)
    given = pixels(encoder)
    with torch.inference_mode():
        expected = whole.encode_image(normalised(encoder, given)).numpy()
    vectors = loaded(encoder, str(tmp_path))(given)
    assert vectors.shape == (2, encoder.dimension) == (2, 1024)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(vectors / scale, expected / scale, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["RN50/openai", "ViT-B-16-SigLIP/webli", "coca_ViT-B-32/laion2b_s13b_b90k"]
)
def test_pixels_are_those_of_open_clips_own_transform(name: str) -> None:
    model, _, tag = name.partition("/")
    encoder = get_encoder(f"open_clip:{name}", CONFIG)
    base = open_clip.transform.PreprocessCfg(size=encoder.preprocessing.crop)
    shown = open_clip.transform.merge_preprocess_dict(
        base, open_clip.get_pretrained_cfg(model, tag)
    )
    theirs = open_clip.transform.image_transform_v2(
        open_clip.transform.PreprocessCfg(**shown), is_train=False
    )
    random = np.random.default_rng(5)
    picture = Image.fromarray(random.integers(0, 256, (301, 217, 3), dtype=np.uint8))
    ours = normalised(encoder, encoder.preprocessing.pixels(picture)[None])[0]
    torch.testing.assert_close(ours, theirs(picture), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("name", "module", "extra"),
    [("timm:resnet50", "timm", "timm"), ("open_clip:RN50/openai", "open_clip", "open-clip")],
)
def test_a_missing_extra_is_told_with_its_install_line(
    monkeypatch: pytest.MonkeyPatch, name: str, module: str, extra: str
) -> None:
    monkeypatch.setattr(
        "simsearch.settings.extras.find_spec", lambda asked: None if asked == module else asked
    )
    with pytest.raises(UsageError, match=rf'pip install "simsearch\[{extra}\]"'):
        get_encoder(name, CONFIG)

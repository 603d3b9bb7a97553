"""An autoencoder from pictures in a folder to an encoder at work, decoded here instead of by Ray Data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import ray
import safetensors.numpy
from PIL import Image

from simsearch.encoders.backbones.learned import encoder_of, encoder_of_space
from simsearch.encoders.encoder import Running
from simsearch.encoders.trained import EXAMPLES, LEARNED_FROM, list_trainings
from simsearch.errors import TrainingError, WeightsError
from simsearch.extraction.missing import choose_originals
from simsearch.features.space import FeatureSpace
from simsearch.settings.config import Config, load_config
from simsearch.storage.storage import Storage, root_of
from simsearch.training import data, train
from tests.support.spaces import SPACE

ARTWORKS, MEASURED = 48, 8
NAME = "variational"


def config_for(root: Path, *overrides: str) -> Config:
    return load_config(
        None,
        [
            f"root={root}",
            f"extract.backbones=[{NAME}]",
            f"autoencoders={{{NAME}: {{side: 32, latent: 8, width: 8, epochs: 2, batch_size: 16}}}}",
            f"perturbations.originals={MEASURED}",
            "train.profiles=[grey-4,jpeg-4]",
            "train.originals=10",
            *overrides,
        ],
    )


def _catalog(folder: Path) -> pa.Table:
    """Pictures of which the last is the first again and the one before it nearly so."""
    folder.mkdir(exist_ok=True)
    random = np.random.default_rng(3)
    rows = []
    for number in range(ARTWORKS):
        coarse = random.integers(0, 256, (5, 5, 3)).astype(np.uint8)
        picture = Image.fromarray(coarse).resize((60, 50), Image.Resampling.BICUBIC)
        path = folder / f"{number:02}.png"
        picture.save(path)
        rows.append(
            {"artwork_id": f"a{number:02}", "image_uri": path.as_uri(), "etag": str(number)}
        )
    return pa.Table.from_pylist(rows)


def _decode_here(
    config: Config,
    storage: Storage,
    folder: str,
    catalog: pa.Table,
    shown: Any,
    profiles: Sequence[str],
) -> None:
    class _Here:
        """`ray.data` as far as `decode_pixels` uses it."""

        def from_arrow(self, blocks: list[pa.Table]) -> _Here:
            self.blocks = blocks
            return self

        def map_batches(self, function: Any, **_: Any) -> _Here:
            self.function = function
            return self

        def iter_batches(self, **_: Any) -> Any:
            for block in self.blocks:
                yield self.function(
                    {
                        name: np.array(block[name].to_pylist(), dtype=object)
                        for name in block.column_names
                    }
                )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ray, "data", _Here())
        patch.setattr(data, "set_up_ray_data", lambda: None)
        data.decode_pixels(config, storage, folder, catalog, shown, profiles)


@pytest.fixture
def decoded_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "decode_pixels", _decode_here)


@pytest.mark.slow
@pytest.mark.usefixtures("decoded_here")
def test_what_is_learned_becomes_an_encoder(tmp_path: Path) -> None:
    config, catalog = config_for(tmp_path / "root"), _catalog(tmp_path / "pictures")
    storage = root_of(config)
    measured = choose_originals(config, catalog["artwork_id"].to_pylist())
    copied = sorted(measured)[0]
    unmeasured = next(
        artwork_id for artwork_id in catalog["artwork_id"].to_pylist() if artwork_id not in measured
    )
    original = tmp_path / "pictures" / f"{copied[1:]}.png"
    (tmp_path / "pictures" / f"{unmeasured[1:]}.png").write_bytes(original.read_bytes())

    (training,) = train.learn_encoders(config, storage, catalog, "cpu")

    learned = storage.read_table(f"{training.folder}/{LEARNED_FROM}")["artwork_id"].to_pylist()
    assert not {*learned} & {*measured, unmeasured}
    assert training.held_out == {"measured": MEASURED, "same picture": 1, "near-duplicate": 0}
    assert training.images == training.artworks + 2 * 10
    assert [row["epoch"] for row in training.losses] == [1, 2]
    assert "active_units" in training.losses[-1]
    assert storage.files("training") == []
    pictures = safetensors.numpy.load(storage.read_bytes(f"{training.folder}/{EXAMPLES}"))
    assert sorted(pictures) == ["between", "copies", "made", "mended", "originals"]

    encoder = encoder_of(config, NAME)
    weights = encoder.weights(["imagenet"], config.storage)
    network = encoder.load(weights, Running(encoder.preprocessing, batch_size=4))
    pixels = pictures["originals"]
    vectors = network(pixels)
    assert vectors.shape == (len(pixels), 8)
    np.testing.assert_allclose(network(pixels[1:2])[0], vectors[1], atol=1e-5)
    space = FeatureSpace(
        **{
            **{key: value for key, value in SPACE.to_json().items() if key != "fingerprint"},
            "encoder": NAME,
            "weights_source": weights.source,
        }
    )
    again = encoder_of_space(config, storage, space)
    assert again.weights([], config.storage).digest == weights.digest
    assert train.learn_encoders(config, storage, catalog, "cpu") == []

    other = config_for(tmp_path / "root", "perturbations.originals=9")
    assert len(train.learn_encoders(other, storage, catalog, "cpu")) == 1  # it saw the ninth
    storage.write_bytes(f"{training.folder}/weights.safetensors", b"other")
    with pytest.raises(Exception, match="not the weights that its manifest names"):
        encoder_of_space(config, storage, space).weights([], config.storage)


def test_an_encoder_that_is_not_learned_yet_is_one_line(tmp_path: Path) -> None:
    config = config_for(tmp_path / "root")
    with pytest.raises(
        TrainingError, match=r"^variational is not learned yet; run `simsearch train`"
    ):
        encoder_of(config, NAME).weights([], config.storage)


@pytest.mark.usefixtures("decoded_here")
def test_a_collection_all_of_which_is_measured_leaves_nothing_to_learn_from(tmp_path: Path) -> None:
    config = config_for(tmp_path / "root", "perturbations.originals=null")
    catalog = _catalog(tmp_path / "pictures")
    with pytest.raises(TrainingError, match=r"^0 artworks are left to learn from"):
        train.learn_encoders(config, root_of(config), catalog, "cpu")
    assert list_trainings(root_of(config)) == []


@pytest.mark.slow
@pytest.mark.usefixtures("decoded_here")
def test_weights_of_other_settings_are_refused(tmp_path: Path) -> None:
    config, catalog = config_for(tmp_path / "root"), _catalog(tmp_path / "pictures")
    train.learn_encoders(config, root_of(config), catalog, "cpu")
    other = config_for(
        tmp_path / "root", f"autoencoders={{{NAME}: {{side: 32, latent: 9, width: 8}}}}"
    )
    encoder = encoder_of(config, NAME)
    object.__setattr__(encoder, "settings", other.autoencoders[NAME])
    with pytest.raises(WeightsError, match="not the weights of these settings"):
        encoder.weights([], config.storage)

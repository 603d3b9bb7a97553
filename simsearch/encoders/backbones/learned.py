"""Encoders learned from a root's own collection: the `autoencoders` of the settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import safetensors
import safetensors.torch
import torch

from simsearch.encoders.backbones.autoencoder import Autoencoder, Features
from simsearch.encoders.encoder import Encoder, Running, Specification, Weights
from simsearch.encoders.network import Network
from simsearch.encoders.registry import get_encoder
from simsearch.encoders.trained import (
    FOLDER,
    Training,
    list_trainings,
    read_training,
    read_weights,
    training_settings,
)
from simsearch.errors import TrainingError, WeightsError
from simsearch.features.space import FeatureSpace
from simsearch.images.preprocessing import Preprocessing
from simsearch.settings.config import Config
from simsearch.settings.sections.operation import StorageConfig
from simsearch.settings.sections.training import AutoencoderConfig
from simsearch.storage.storage import Storage, root_of


def preprocessing_of(settings: AutoencoderConfig) -> Preprocessing:
    """The preprocessing of an autoencoder, which gets the middle square of an image."""
    return Preprocessing(settings.side, settings.side, "bilinear", (0.0,) * 3, (1.0,) * 3)


@dataclass(frozen=True)
class LearnedSpecification:
    """A `simsearch.encoders.encoder.Specification` of an autoencoder. `training` describes the training of
    its weights in `storage`, None before the training."""

    name: str
    settings: AutoencoderConfig
    storage: Storage
    training: Training | None
    licence: str = "as the collection's"
    precision: str | None = "float32"
    can_run_as_studied: bool = False

    @property
    def dimension(self) -> int:
        return self.settings.latent

    @property
    def layer(self) -> str:
        return (
            f"the {self.settings.latent} numbers in the middle of its {self.settings.kind} network"
        )

    @property
    def preprocessing(self) -> Preprocessing:
        return preprocessing_of(self.settings)

    def weights(self, sources: Sequence[str], config: StorageConfig) -> Weights:  # noqa: ARG002
        """The learned weights. Raises TrainingError before the training."""
        if self.training is None:
            raise TrainingError(f"{self.name} is not learned yet; run `simsearch train` first")
        data = read_weights(self.storage, self.training)
        state = _check(data, self.settings, self.storage.uri(self.training.folder))
        return Weights(self.training.folder, self.training.weights_sha256, True, state, len(data))

    def at_hand(self, sources: Sequence[str], config: StorageConfig) -> str | None:  # noqa: ARG002
        return None if self.training is None else self.training.folder

    def load(self, weights: Weights, running: Running) -> Encoder:
        if running.threads is not None:
            torch.set_num_threads(running.threads)
        whole = Autoencoder(self.settings)
        whole.load_state_dict(weights.content)
        return Network(Features(whole), running)


def encoder_of(config: Config, name: str) -> Specification:
    """The encoder that a space's `backbone` names, learned or registered. Raises the errors of
    `get_encoder`."""
    if name not in config.autoencoders:
        return get_encoder(name, config.storage, learned=config.autoencoders)
    storage = root_of(config)
    training = find_training(config, storage, name)
    return LearnedSpecification(name, config.autoencoders[name], storage, training)


def encoder_of_space(config: Config, storage: Storage, space: FeatureSpace) -> Specification:
    """The encoder of a space, which belongs to a snapshot in `storage`."""
    if not space.weights_source.startswith(f"{FOLDER}/"):
        return get_encoder(space.encoder, config.storage)
    training = read_training(storage, space.weights_source)
    settings = AutoencoderConfig.model_validate(training.settings["of"])
    return LearnedSpecification(space.encoder, settings, storage, training)


def find_training(config: Config, storage: Storage, name: str) -> Training | None:
    """The newest training from pixels of that name, with the config's settings."""
    wanted = training_settings(config, config.autoencoders[name])
    for training in list_trainings(storage):
        if (training.name, training.fitted_for, training.settings) == (name, None, wanted):
            return training
    return None


def _check(data: bytes, settings: AutoencoderConfig, source: str) -> dict[str, Any]:
    """The tensors of a weight file. Raises WeightsError for weights of another network."""
    wanted = Autoencoder(settings).state_dict()
    try:
        state = safetensors.torch.load(data)
    except safetensors.SafetensorError as error:
        raise WeightsError(f"{source}: not a weight file ({error}); train again") from None
    shapes = {key: tensor.shape for key, tensor in state.items()}
    if shapes != {key: tensor.shape for key, tensor in wanted.items()}:
        raise WeightsError(f"{source}: not the weights of these settings; train again")
    return dict(state)

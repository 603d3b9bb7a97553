"""A network at work: pixels in, vectors out."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.fx.experimental.optimization import fuse

from simsearch.encoders.cuda import CudaForward
from simsearch.encoders.encoder import Running
from simsearch.encoders.feature_maps import before_pooling

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class Network:
    """Turns uint8 pixels [N, crop, crop, 3] into float32 vectors [N, dimension].

    In mode `eval` every forward pass has exactly `batch_size` images, of which the last batch is filled
    up, so that a vector does not depend on the other images. On a CPU, batch normalisation is multiplied
    into the convolution before it (`torch.fx.experimental.optimization.fuse`). Mode `study-2018` keeps
    dropout and batch statistics live, as the study's code did by never calling `eval()`. A vector then
    depends on its batch, dropout is seeded from the batch's pixels, and running statistics are restored
    after each batch.

    On a GPU in mode `eval` any number of threads may call at once (see CudaForward).
    """

    def __init__(
        self,
        module: nn.Module,
        running: Running,
        *,
        fused: bool = True,
        maps: nn.Module | None = None,
    ) -> None:
        """`module`, with its weights, takes normalised images [N, 3, crop, crop]. The network takes it over
        and changes it. `fused` is False for a module that `torch.fx` cannot follow. `maps` then gives the
        feature map [N, C, h, w] of the same images, if there is such a layer."""
        self._live = running.mode == "study-2018"
        module = module.requires_grad_(False).train(self._live)
        if fused and not self._live and running.device == "cpu":
            # In float32, before rounding. ResNet152 in bfloat16 runs 1.16 times faster this way. On a GPU
            # (H100) it runs slower, 5,862 images/s against 6,344: cuDNN adds a bias in a separate pass.
            module = fuse(module, inplace=True)
        self._dtype = DTYPES[running.precision]
        self._device = torch.device(running.device)
        module = module.to(self._device, self._dtype).to(memory_format=torch.channels_last)
        self._module: nn.Module = module
        self._buffers = {name: value.clone() for name, value in module.named_buffers()}
        self._preprocessing = running.preprocessing
        self._batch_size = running.batch_size
        self._followed, self._maps = fused, maps
        self._cuda: CudaForward | None = None
        if self._device.type == "cuda":
            # Convolutions would otherwise round float32 to TF32's 10 bits.
            torch.backends.cudnn.conv.fp32_precision = "ieee"  # type: ignore[attr-defined]
            if not self._live:
                image = (running.preprocessing.crop, running.preprocessing.crop, 3)
                self._cuda = CudaForward(
                    self._vectors, image, batch_size=running.batch_size, device=self._device
                )

    def __call__(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        if self._cuda is not None:
            return self._cuda(pixels)
        batches = [
            self._embed(pixels[start : start + self._batch_size])
            for start in range(0, len(pixels), self._batch_size)
        ]
        return np.concatenate(batches)

    def feature_map(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32] | None:
        """`simsearch.encoders.encoder.SpatialEncoder.feature_map`. None also in mode `study-2018`, whose
        values change with the batch."""
        if self._live:
            return None
        if self._maps is None and self._followed:
            self._followed = False  # trace only once, even if tracing fails
            self._maps = before_pooling(self._module, pixels.shape[1])
        if self._maps is None:
            return None
        batch = torch.from_numpy(np.array(pixels, order="C")).to(self._device)
        with torch.inference_mode():
            maps = self._maps(self._preprocessing.normalise(batch, self._dtype))
            return np.asarray(maps.float().permute(0, 2, 3, 1).contiguous().cpu().numpy())

    def _embed(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        count = len(pixels)
        if count < self._batch_size and not self._live:
            filler = np.zeros((self._batch_size - count, *pixels.shape[1:]), dtype=np.uint8)
            pixels = np.concatenate([pixels, filler])
        batch = torch.from_numpy(np.array(pixels, order="C")).to(self._device)
        # Set here, not in __init__: Ray Data calls an actor on another thread than the one that made it.
        with torch.inference_mode():
            vectors = self._live_forward(batch, pixels) if self._live else self._vectors(batch)
            return np.asarray(vectors[:count].cpu().numpy())

    def _vectors(self, batch: torch.Tensor) -> torch.Tensor:
        """uint8 [N, H, W, 3] to float32 [N, dimension], both on the network's device."""
        vectors: torch.Tensor = self._module(self._preprocessing.normalise(batch, self._dtype))
        return vectors.float()

    def _live_forward(self, batch: torch.Tensor, pixels: npt.NDArray[np.uint8]) -> torch.Tensor:
        seed = int.from_bytes(hashlib.sha256(pixels.tobytes()).digest()[:8], "little") >> 1
        devices = [self._device] if self._device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(seed)
            vectors = self._vectors(batch)
        for name, value in self._module.named_buffers():
            value.copy_(self._buffers[name])
        return vectors

"""METHOD section 6: where the edit's attention differs from the source's, averaged over layers and steps."""

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from i2vedit_core.method.attention.layers import Layer


class EditMap:
    """The running mean of d over layers and steps, at the latent's size."""

    def __init__(self, frames: int, height: int, width: int) -> None:
        self._sum = torch.zeros(frames, height, width)
        self._count = 0

    def add(self, layer: Layer, difference: Tensor) -> None:
        """Adds a layer's d: [F, N] in [0, 1], N the positions of that layer's level in rows."""
        height, width = self._sum.shape[1:]
        level = difference.unflatten(1, (height // layer.downscale, width // layer.downscale))[:, None]
        self._sum += interpolate(level.cpu(), (height, width), mode="bilinear", align_corners=False)[:, 0]
        self._count += 1

    def mean(self) -> Tensor:
        """[F, h, w] float32 in [0, 1]."""
        return self._sum / max(self._count, 1)

"""METHOD section 0: what the model is told about the first frame: its latent, its CLIP embedding, and the added time ids."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import conv2d, interpolate, pad

from i2vedit_core.backbone import Backbone

TIME_IDS = (6.0, 127.0, 0.02)
"""(fps - 1, motion bucket, noise strength): the same in every stage and for every stride."""

CONDITION_NOISE = TIME_IDS[2]


@dataclass(frozen=True)
class Condition:
    """What one pass of the UNet is conditioned on."""

    image: Tensor
    """[1, C, h, w] float32: the unscaled latent of the first frame, with its noise."""
    clip: Tensor
    """[1, 1, D] float32: the image embedding of the clean first frame."""
    ids: Tensor
    """[1, 3] float32."""

    def unconditional(self) -> "Condition":
        """The other half of guidance: no picture, the same ids."""
        return Condition(torch.zeros_like(self.image), torch.zeros_like(self.clip), self.ids)


def condition_on(backbone: Backbone, latent: Tensor, picture: Tensor, noise: Tensor) -> Condition:
    """A condition from a frame's unscaled latent [1, C, h, w], its pixels [1, 3, H, W] in [-1, 1], and unit noise like the latent."""
    ids = torch.tensor([TIME_IDS], device=backbone.device)
    return Condition(latent + CONDITION_NOISE * noise, embed_picture(backbone, picture), ids)


@torch.no_grad()
def embed_picture(backbone: Backbone, picture: Tensor) -> Tensor:
    """CLIP embedding [1, 1, D] float32 of a clean frame [1, 3, H, W] in [-1, 1]."""
    embedding: Tensor = backbone.image_encoder(clip_pixels(backbone, picture)).image_embeds
    return embedding[:, None].float()


def clip_pixels(backbone: Backbone, picture: Tensor) -> Tensor:
    """The image encoder's input: Gaussian-antialiased bicubic resize to its own size, CLIP mean and deviation; [B, 3, S, S] float32."""
    size = backbone.image_encoder.config.image_size
    smooth = _blur(_blur(picture, size, axis=2), size, axis=3)
    small = interpolate(smooth, (size, size), mode="bicubic", align_corners=True)
    mean, deviation = (torch.tensor(values, device=picture.device)[:, None, None] for values in backbone.clip_statistics)
    return ((small + 1) / 2 - mean) / deviation


def _blur(picture: Tensor, size: int, axis: int) -> Tensor:
    """Gaussian along one axis, as wide as its reduction to `size` asks for: sigma = (factor - 1)/2. Enlarging blurs nothing."""
    sigma = (picture.shape[axis] / size - 1) / 2
    if sigma <= 0:
        return picture
    radius = min(math.ceil(2 * sigma), picture.shape[axis] - 1)
    weights = torch.exp(-0.5 * (torch.arange(-radius, radius + 1, device=picture.device) / sigma) ** 2)
    shape, margins = ([1, 1, -1, 1], (0, 0, radius, radius)) if axis == 2 else ([1, 1, 1, -1], (radius, radius, 0, 0))
    kernel = (weights / weights.sum()).reshape(shape).expand(picture.shape[1], -1, -1, -1)
    return conv2d(pad(picture, margins, mode="reflect"), kernel, groups=picture.shape[1])

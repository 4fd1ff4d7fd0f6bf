"""METHOD section 0: pixels to latents and back. The autoencoder runs in float32."""

import torch
from torch import Tensor

from i2vedit_core.backbone import Backbone
from i2vedit_core.errors import BridgeError, Code, Reason


@torch.no_grad()
def encode(backbone: Backbone, pixels: Tensor) -> Tensor:
    """The mode of E(x), unscaled: [F, 3, H, W] in [-1, 1] to [F, C, h, w] float32, one frame at a time to bound the memory."""
    modes = [backbone.vae.encode(frame).latent_dist.mode() for frame in pixels.to(backbone.device, torch.float32).split(1)]
    return require_finite(torch.cat(modes), "encoding")


@torch.no_grad()
def decode(backbone: Backbone, z: Tensor, frames_at_once: int) -> Tensor:
    """Scaled latents [1, F, C, h, w] to pixels [F, 3, H, W] float32 in [-1, 1].

    The decoder mixes time, so slices should hold whole chunks where memory allows it.
    """
    slices = (z[0] / backbone.latent_scale).float().split(frames_at_once)
    pixels = [backbone.vae.decode(part, num_frames=len(part)).sample.float() for part in slices]
    return require_finite(torch.cat(pixels), "decoding").clamp(-1, 1)


def require_finite(tensor: Tensor, stage: str) -> Tensor:
    """The tensor itself. Raises BridgeError NOT_FINITE, naming the stage, if anything in it is infinite or not a number."""
    if not bool(torch.isfinite(tensor).all()):
        sentence = (
            f"The model gave values that are not numbers while {stage}. "
            "Try another seed or model; with a model of your own, check its weights."
        )
        raise BridgeError(Code.INTERNAL, Reason.NOT_FINITE, sentence)
    return tensor

"""The exact architecture of Stable Video Diffusion image-to-video with random weights: for measuring time and memory, not pictures.

Built from the published configuration (`i2vedit_core.plan.architecture`) as the real classes of diffusers and transformers; no
network, no file.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKLTemporalDecoder, EulerDiscreteScheduler, UNetSpatioTemporalConditionModel
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection
from transformers.image_utils import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD

from i2vedit_core.backbone import Backbone
from i2vedit_core.models import ModelFolder
from i2vedit_core.plan.architecture import SVD_CLIP, SVD_UNET, SVD_VAE

SCHEDULER: dict[str, Any] = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "prediction_type": "v_prediction",
    "interpolation_type": "linear",
    "use_karras_sigmas": True,
    "sigma_min": 0.002,
    "sigma_max": 700.0,
    "timestep_spacing": "leading",
    "timestep_type": "continuous",
    "steps_offset": 1,
}
"""`scheduler/scheduler_config.json` of the published model."""


@dataclass(frozen=True)
class Size:
    """How large a model of SVD's shape is. Heads are 64 wide, whatever their number."""

    heads: int = 5
    """Attention heads of the UNet's highest level; twice and four times as many below."""
    vae_width: int = 128
    """Channels of the autoencoder's highest level."""
    clip_width: int = 1280
    clip_layers: int = 32
    frames: int = 14
    latent_side: int = 96
    """The square root of the native picture's latent cells: 96 squared are 1024x576 pixels."""

    def unet(self) -> dict[str, Any]:
        width, heads = 64 * self.heads, self.heads
        return SVD_UNET | {
            "block_out_channels": (width, 2 * width, 4 * width, 4 * width),
            "num_attention_heads": (heads, 2 * heads, 4 * heads, 4 * heads),
            "num_frames": self.frames,
            "sample_size": self.latent_side,
        }

    def vae(self) -> dict[str, Any]:
        width = self.vae_width
        return SVD_VAE | {"block_out_channels": (width, 2 * width, 4 * width, 4 * width), "force_upcast": True, "scaling_factor": 0.18215}

    def image_encoder(self) -> CLIPVisionConfig:
        heads = SVD_CLIP["num_attention_heads"] * self.clip_width // SVD_CLIP["hidden_size"]
        width = {"hidden_size": self.clip_width, "intermediate_size": 4 * self.clip_width, "num_attention_heads": heads}
        return CLIPVisionConfig(**(SVD_CLIP | width | {"num_hidden_layers": self.clip_layers}), hidden_act="gelu")


SVD = Size()
SMOKE = Size(heads=1, vae_width=32, clip_width=80, clip_layers=1, frames=4, latent_side=16)
"""The same levels and blocks, for a smoke test."""


def build(device: torch.device | str, dtype: torch.dtype, size: Size = SVD, seed: int = 0) -> Backbone:
    """A backbone with random weights: the UNet in `dtype`, the rest float32, as `load_backbone` leaves them.

    The weights are what the classes themselves begin with: their layers shrink what passes, so that half precision stays finite.
    """
    device = torch.device(device)
    torch.manual_seed(seed)
    with device:
        unet = UNetSpatioTemporalConditionModel(**size.unet())
        vae = AutoencoderKLTemporalDecoder(**size.vae())
        image_encoder = CLIPVisionModelWithProjection(size.image_encoder())
    return Backbone(
        folder=ModelFolder("svd-random", Path("svd-random"), size.frames, {}),
        unet=_frozen(unet, device, dtype),
        vae=_frozen(vae, device, torch.float32),
        image_encoder=_frozen(image_encoder, device, torch.float32),
        clip_statistics=(tuple(OPENAI_CLIP_MEAN), tuple(OPENAI_CLIP_STD)),
        scheduler=EulerDiscreteScheduler(**SCHEDULER),
        device=device,
        dtype=dtype,
    )


def _frozen(model: Any, device: torch.device, dtype: torch.dtype) -> Any:
    # Some parameters of diffusers ignore the device that they are made on.
    return model.to(device, dtype).eval().requires_grad_(False)

"""What of a model's configuration decides how much memory it takes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SVD_UNET: dict[str, Any] = {
    "in_channels": 8,
    "out_channels": 4,
    "down_block_types": ("CrossAttnDownBlockSpatioTemporal",) * 3 + ("DownBlockSpatioTemporal",),
    "up_block_types": ("UpBlockSpatioTemporal",) + ("CrossAttnUpBlockSpatioTemporal",) * 3,
    "block_out_channels": (320, 640, 1280, 1280),
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 768,
    "layers_per_block": 2,
    "cross_attention_dim": 1024,
    "transformer_layers_per_block": 1,
    "num_attention_heads": (5, 10, 20, 20),
    "num_frames": 14,
    "sample_size": 96,
}
"""`unet/config.json` of stabilityai/stable-video-diffusion-img2vid; what a folder leaves out has these values."""

SVD_VAE: dict[str, Any] = {
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "block_out_channels": (128, 256, 512, 512),
    "layers_per_block": 2,
    "latent_channels": 4,
}
"""As SVD_UNET, of `vae/config.json`."""

SVD_CLIP: dict[str, Any] = {
    "hidden_size": 1280,
    "intermediate_size": 5120,
    "num_hidden_layers": 32,
    "num_attention_heads": 16,
    "patch_size": 14,
    "image_size": 224,
    "projection_dim": 1024,
}
"""As SVD_UNET, of `image_encoder/config.json`: CLIP ViT-H/14."""

Fields = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Architecture:
    """The shapes of a model's parts, as sorted (name, value) pairs, so that two models of the same shapes are equal."""

    unet: Fields
    vae: Fields
    image_encoder: Fields

    @classmethod
    def of(cls, unet: Mapping[str, Any], vae: Mapping[str, Any], image_encoder: Mapping[str, Any]) -> "Architecture":
        """From the three configurations, as their files or loaded classes hold them."""
        return cls(_fields(SVD_UNET, unet), _fields(SVD_VAE, vae), _fields(SVD_CLIP, image_encoder))

    @classmethod
    def of_folder(cls, path: Path) -> "Architecture":
        """From a complete model folder (`models.find_model`)."""
        return cls.of(*(json.loads((path / part / "config.json").read_text(encoding="utf-8")) for part in ("unet", "vae", "image_encoder")))

    @property
    def frames(self) -> int:
        """Frames of one chunk."""
        return int(dict(self.unet)["num_frames"])

    @property
    def latent_factor(self) -> int:
        """Pixels per latent cell along each side."""
        return 1 << len(dict(self.vae)["block_out_channels"]) - 1

    @property
    def size_multiple(self) -> int:
        """Width and height in pixels must be multiples of this, so that every level of the UNet halves evenly."""
        return self.latent_factor << len(dict(self.unet)["block_out_channels"]) - 1

    @property
    def latent_side(self) -> int:
        """Latent cells along a side of the square that has the area of the model's native picture."""
        return int(dict(self.unet)["sample_size"])

    @property
    def pixel_budget(self) -> int:
        """Pixels of a picture of the size the model was made for: SVD's 96 squared latent cells are its 1024x576 pixels."""
        return (self.latent_side * self.latent_factor) ** 2


def _fields(wanted: Mapping[str, Any], config: Mapping[str, Any]) -> Fields:
    return tuple((name, _frozen(config.get(name, default))) for name, default in sorted(wanted.items()))


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value

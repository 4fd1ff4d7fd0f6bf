"""The frozen video model: UNet, autoencoder, image encoder and noise grid of a diffusers folder (METHOD section 0)."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKLTemporalDecoder, EulerDiscreteScheduler, UNetSpatioTemporalConditionModel
from diffusers.models.attention import TemporalBasicTransformerBlock
from torch import Tensor
from torch.utils.checkpoint import checkpoint
from transformers import CLIPVisionModelWithProjection
from transformers.image_utils import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD

from i2vedit_core.models import ModelFolder, find_model
from i2vedit_core.plan.architecture import Architecture
from i2vedit_core.versions import deciding_versions


@dataclass(frozen=True)
class Backbone:
    """A loaded model. The UNet computes in `dtype`; the autoencoder always in float32, never in TF32 (section 0, Numerics)."""

    folder: ModelFolder
    unet: UNetSpatioTemporalConditionModel
    vae: AutoencoderKLTemporalDecoder
    image_encoder: CLIPVisionModelWithProjection
    clip_statistics: tuple[tuple[float, ...], tuple[float, ...]]
    """Mean and deviation per channel of the image encoder's input."""
    scheduler: EulerDiscreteScheduler
    device: torch.device
    dtype: torch.dtype

    @cached_property
    def architecture(self) -> Architecture:
        """The shapes of its parts, and what follows from them."""
        return Architecture.of(self.unet.config, self.vae.config, self.image_encoder.config.to_dict())

    @property
    def chunk_frames(self) -> int:
        """Frames of one chunk."""
        return self.architecture.frames

    @property
    def latent_factor(self) -> int:
        """Pixels per latent cell along each side."""
        return self.architecture.latent_factor

    @property
    def latent_scale(self) -> float:
        """The factor s in z = E(x)·s."""
        return float(self.vae.config.scaling_factor)

    def computes_with(self) -> dict[str, Any]:
        """What decides the last bits of whatever this model computes, as JSON values: the same here, the same values."""
        return {
            "model_sha256": self.folder.sha256,
            "device": str(self.device),
            "dtype": str(self.dtype).removeprefix("torch."),
            "threads": torch.get_num_threads(),
            "versions": deciding_versions(),
        }


def default_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def load_backbone(name: str = "mini", device: str | torch.device | None = None) -> Backbone:
    """Loads `mini`, `svd`, `svd-xt` or a diffusers folder: safetensors only, half precision on CUDA, float32 on CPU.

    On CUDA it sets, for the whole process, how torch computes (`compute_repeatably`).

    Raises BridgeError MODEL_UNKNOWN, MODEL_INCOMPLETE or MODEL_UNSAFE_WEIGHTS.
    """
    folder = find_model(name)
    device = torch.device(device) if device is not None else default_device()
    dtype = torch.float16 if device.type == "cuda" else torch.float32
    if device.type == "cuda":
        compute_repeatably()
    unet = _load(UNetSpatioTemporalConditionModel, folder, "unet", dtype).to(device)
    return Backbone(
        folder=folder,
        unet=unet,
        vae=_load(AutoencoderKLTemporalDecoder, folder, "vae", torch.float32).to(device),
        image_encoder=_load(CLIPVisionModelWithProjection, folder, "image_encoder", torch.float32).to(device),
        clip_statistics=_clip_statistics(folder.path),
        scheduler=EulerDiscreteScheduler.from_pretrained(folder.path, subfolder="scheduler"),
        device=device,
        dtype=dtype,
    )


def compute_repeatably() -> None:
    """Tells torch what CUDA is to do: float32 that is float32, and the same bits each time (docs/decisions/0024).

    Operators that have no deterministic form on CUDA warn in the log, and run all the same.
    """
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = False
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Nothing here reads what it has not written.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS asks for it, before its first call


@contextmanager
def checkpointed_gradients(unet: UNetSpatioTemporalConditionModel) -> Iterator[None]:
    """Inside the block, backward passes run forwards again instead of keeping what they computed: less memory, a third more time.

    diffusers does so for spatial blocks alone; the temporal ones follow here.
    """
    temporal = [module for module in unet.modules() if isinstance(module, TemporalBasicTransformerBlock)]
    unet.enable_gradient_checkpointing()
    for module in temporal:
        module.forward = _checkpointed(module.forward)
    try:
        yield
    finally:
        unet.disable_gradient_checkpointing()
        for module in temporal:
            del module.forward  # the class's own is seen again


def _checkpointed(forward: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def run(*arguments: Any, **options: Any) -> Tensor:
        result: Tensor = checkpoint(forward, *arguments, use_reentrant=False, **options)
        return result

    return run


def _load(cls, folder: ModelFolder, part: str, dtype: torch.dtype):  # type: ignore[no-untyped-def]
    variant = "fp16" if folder.weights[part].name.endswith(".fp16.safetensors") else None
    module = cls.from_pretrained(
        folder.path, subfolder=part, variant=variant, use_safetensors=True, torch_dtype=dtype, local_files_only=True
    )
    return module.eval().requires_grad_(False)


def _clip_statistics(path: Path) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The folder's own mean and deviation, else CLIP's."""
    own = path / "feature_extractor" / "preprocessor_config.json"
    said = json.loads(own.read_text(encoding="utf-8")) if own.exists() else {}
    return tuple(said.get("image_mean", OPENAI_CLIP_MEAN)), tuple(said.get("image_std", OPENAI_CLIP_STD))

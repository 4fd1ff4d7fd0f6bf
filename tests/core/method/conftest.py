import pytest
import torch
from tests.tiny_model import save_tiny_model

from i2vedit_core.backbone import Backbone, load_backbone
from i2vedit_core.method.conditioning import condition_on
from i2vedit_core.method.edm import noise_grid
from i2vedit_core.method.latents import encode
from i2vedit_core.method.source import Source

STEPS = 6


@pytest.fixture(scope="session")
def tiny_backbone(tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    save_tiny_model(folder)
    return load_backbone(str(folder), device="cpu")


@pytest.fixture(scope="session")
def source(tiny_backbone: Backbone) -> Source:
    """A source chunk of 4 frames of soft noise."""
    generator = torch.Generator().manual_seed(7)
    small = torch.rand(4, 3, 8, 8, generator=generator) * 2 - 1
    pixels = torch.nn.functional.interpolate(small, (32, 32), mode="bilinear")
    latents = encode(tiny_backbone, pixels)
    noise = torch.randn(latents[:1].shape, generator=generator)
    condition = condition_on(tiny_backbone, latents[:1], pixels[:1], noise)
    return Source(latents[None] * tiny_backbone.latent_scale, condition, noise_grid(tiny_backbone, STEPS), None)

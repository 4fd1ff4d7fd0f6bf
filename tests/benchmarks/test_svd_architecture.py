"""The stand-in for SVD has SVD's shapes, and computes."""

import pytest
import torch

from i2vedit_core.method.conditioning import Condition, embed_picture
from i2vedit_core.method.edm import noise_grid, predict
from i2vedit_core.plan.architecture import Architecture
from svd_architecture import SMOKE, SVD, build


def parameters(model: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in model.parameters())


def test_the_parts_have_as_many_parameters_as_the_published_ones():
    backbone = build("meta", torch.float16)
    counts = [parameters(part) for part in (backbone.unet, backbone.vae, backbone.image_encoder)]
    assert counts == [1_524_623_082, 97_742_847, 632_076_800]
    assert (backbone.chunk_frames, backbone.architecture.size_multiple, backbone.architecture.pixel_budget) == (14, 64, 768 * 768)
    assert Architecture.of(SVD.unet(), SVD.vae(), SVD.image_encoder().to_dict()) == Architecture.of({}, {}, {})


def test_its_noise_grid_is_svds():
    sigmas = noise_grid(build("meta", torch.float16, SMOKE), 25)
    assert [float(sigmas[level]) for level in (0, -2, -1)] == pytest.approx([700, 0.002, 0])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_a_small_one_computes_finite_numbers(dtype):
    backbone = build("cpu", dtype, SMOKE)
    sigma, z = torch.tensor(700.0), 700 * torch.randn(1, SMOKE.frames, 4, 8, 8)
    clip = embed_picture(backbone, torch.rand(1, 3, 64, 64) * 2 - 1)
    answer = predict(backbone, z, sigma, Condition(torch.randn(1, 4, 8, 8), clip, torch.tensor([[6.0, 127.0, 0.02]])))
    assert answer.shape == z.shape and bool(torch.isfinite(answer).all()) and float(answer.std()) > 1e-3
    pixels = backbone.vae.decode(torch.randn(2, 4, 8, 8), num_frames=2).sample
    assert pixels.shape == (2, 3, 64, 64) and bool(torch.isfinite(pixels).all())


def test_the_same_seed_gives_the_same_weights():
    one, other = (build("cpu", torch.float32, SMOKE).unet.state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)

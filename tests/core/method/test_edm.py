"""METHOD section 0 against the textbook forms, in float64."""

import pytest
import torch

from i2vedit_core.backbone import Backbone
from i2vedit_core.method import edm
from i2vedit_core.method.edm import noise_grid
from i2vedit_core.method.motion_lora import draw_sigma, velocity_loss


def _random(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("value", [0.002, 0.5, 1.0, 37.0, 700.0])
def test_the_slope_is_z_minus_denoised_over_sigma(value: float) -> None:
    z, answer, sigma = _random(0, 2, 3), _random(1, 2, 3), torch.tensor(value, dtype=torch.float64)
    denoised = z / (sigma**2 + 1) - sigma / (sigma**2 + 1).sqrt() * answer
    torch.testing.assert_close(edm.denoised(z, sigma, answer), denoised, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(edm.slope(z, sigma, answer), (z - denoised) / sigma, rtol=1e-9, atol=1e-9)


def test_preconditioning_keeps_unit_variance_and_the_target_of_v_prediction() -> None:
    sigma = torch.tensor([0.01, 1.0, 50.0], dtype=torch.float64)
    torch.testing.assert_close(edm.c_in(sigma) ** 2 * (sigma**2 + 1), torch.ones_like(sigma))
    torch.testing.assert_close(edm.c_skip(sigma) + edm.c_out(sigma) ** 2, torch.ones_like(sigma))
    torch.testing.assert_close(edm.c_noise(sigma), 0.25 * torch.log(sigma))


@pytest.mark.parametrize("value", [0.02, 1.0, 80.0, 700.0])
def test_the_loss_is_the_weighted_denoising_loss(value: float) -> None:
    z_0, epsilon, answer = _random(2, 4, 5), _random(3, 4, 5), _random(4, 4, 5)
    sigma = torch.tensor(value, dtype=torch.float64)
    denoised = edm.denoised(z_0 + sigma * epsilon, sigma, answer)
    weighted = (1 + sigma**2) / sigma**2 * (denoised - z_0).square().mean()
    torch.testing.assert_close(velocity_loss(answer, z_0, epsilon, sigma), weighted, rtol=1e-8, atol=0)


def test_the_grid_is_karras_with_the_models_own_ends(tiny_backbone: Backbone) -> None:
    ramp = torch.linspace(0, 1, 25, dtype=torch.float64)
    karras = (700 ** (1 / 7) + ramp * (0.002 ** (1 / 7) - 700 ** (1 / 7))) ** 7
    grid = noise_grid(tiny_backbone, 25)
    assert grid.dtype == torch.float32 and grid.shape == (26,) and grid[-1] == 0
    torch.testing.assert_close(grid[:-1].double(), karras, rtol=1e-5, atol=0)


def test_drawn_noise_levels_stay_in_the_models_range_and_cover_it() -> None:
    generator = torch.Generator().manual_seed(0)
    drawn = torch.stack([draw_sigma(0.002, 80.0, generator) for _ in range(4000)])
    assert drawn.min() >= 0.002 * 0.999 and drawn.max() <= 80 * 1.001
    assert (drawn < 0.02).any() and (drawn > 20).any()
    assert 0.45 < (drawn < 1).double().mean() < 0.55

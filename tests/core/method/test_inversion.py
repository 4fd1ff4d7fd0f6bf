"""METHOD section 3: inversion followed by denoising with the same condition."""

from itertools import pairwise

import torch

from i2vedit_core.backbone import Backbone
from i2vedit_core.method.conditioning import condition_on
from i2vedit_core.method.edm import noise_grid, predict, slope
from i2vedit_core.method.inversion import inversion_grid, invert
from i2vedit_core.method.source import Source, invert_source


def test_the_grid_ends_one_ratio_below_the_last_level() -> None:
    grid = inversion_grid(torch.tensor([80.0, 8.0, 2.0, 0.0]))
    assert grid.tolist() == [80.0, 8.0, 2.0, 0.5]


def test_a_gaussian_source_is_inverted_as_the_closed_form_says() -> None:
    """For data of unit variance the best denoiser is D = z/(sigma^2 + 1), so U = 0 and z grows as sqrt(sigma^2 + 1)."""
    sigmas = torch.cat([torch.logspace(2, -3, 400, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)])
    z = torch.randn(1, 2, 4, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    trajectory = invert(z, sigmas, lambda z, sigma, level: torch.zeros_like(z), lambda step: None)
    torch.testing.assert_close(trajectory[0], z[0] * (sigmas[0] ** 2 + 1).sqrt(), rtol=0.02, atol=0)
    assert torch.equal(trajectory[-1], z[0])


def _round_trip_error(backbone: Backbone, source: Source, steps: int) -> float:
    sigmas = noise_grid(backbone, steps)
    z_0 = torch.randn(source.z_0.shape, generator=torch.Generator().manual_seed(3))
    fresh = Source(z_0, source.condition, sigmas, None)
    trajectory = invert_source(backbone, fresh, z_0, lambda step: None)
    z = trajectory[0][None]
    with torch.no_grad():
        for sigma, following in pairwise(sigmas):
            z = z + (following - sigma) * slope(z, sigma, predict(backbone, z, sigma, source.condition))
    return float((z - z_0).norm() / z_0.norm())


def test_latents_come_back_and_closer_with_more_steps(tiny_backbone: Backbone, source: Source) -> None:
    """Explicit Euler there and back is not exact; the error must shrink with the step: what is left is the scheme's, not a mistake's."""
    coarse, fine = _round_trip_error(tiny_backbone, source, 10), _round_trip_error(tiny_backbone, source, 80)
    assert fine < 0.5 * coarse
    assert fine < 0.2


def test_another_condition_does_not_lead_back(tiny_backbone: Backbone, source: Source) -> None:
    other = condition_on(
        tiny_backbone, source.condition.image.flip(-1) + 3, torch.zeros(1, 3, 32, 32), torch.zeros_like(source.condition.image)
    )
    trajectory = invert_source(tiny_backbone, source, source.z_0, lambda step: None)
    changed = Source(source.z_0, other, source.sigmas, None)
    assert not torch.allclose(invert_source(tiny_backbone, changed, source.z_0, lambda step: None)[0], trajectory[0], rtol=1e-3)

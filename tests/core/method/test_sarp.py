"""METHOD section 2."""

from pathlib import Path

import pytest
import torch

from i2vedit_core.artifacts import Artifacts
from i2vedit_core.backbone import load_backbone
from i2vedit_core.method.chunks import plan_chunks
from i2vedit_core.method.preparation import Preparation, Workplace
from i2vedit_core.method.sarp import flat_areas, perturb
from i2vedit_core.settings import Part, Settings
from metrics import anderson_darling


def _half_flat() -> torch.Tensor:
    pixels = torch.full((2, 3, 16, 16), 0.25)
    pixels[..., 8:] += torch.linspace(0.05, 0.4, 8)
    return pixels


def test_only_flat_areas_are_perturbed_and_by_no_more_than_alpha_allows() -> None:
    pixels = _half_flat()
    noise = torch.randn(pixels.shape, generator=torch.Generator().manual_seed(0))
    result = perturb(pixels, 0.005, noise)
    assert torch.equal(result[..., 8:], pixels[..., 8:])
    torch.testing.assert_close(result[..., :7], pixels[..., :7] + 0.005 * noise[..., :7])


def test_the_threshold_is_on_the_mean_over_rgb_of_both_sobel_directions() -> None:
    ramp = torch.arange(16) / 16
    slope = ramp.expand(1, 3, 16, 16) * 0.001
    assert bool(flat_areas(slope)[..., 1:-1, 1:-1].all())  # 8/16 of 0.001 an axis: 0.0005
    assert not bool(flat_areas(slope * 2.1)[..., 1:-1, 1:-1].any())
    one_channel = slope * 2.1 * torch.tensor([1.0, 0.0, 0.0])[:, None, None]
    assert bool(flat_areas(one_channel)[..., 1:-1, 1:-1].all())


def test_values_stay_in_range() -> None:
    white = torch.ones(1, 3, 8, 8)
    assert perturb(white, 0.005, torch.ones_like(white)).max() == 1


@pytest.mark.model
def test_a_flat_shot_is_inverted_to_noise_that_is_far_more_normal(tmp_path: Path) -> None:
    """The bundled model, ten levels: Anderson-Darling 0.4 with SARP, and 20.6 without; normal noise itself has 0.2 to 1."""
    backbone = load_backbone("mini", device="cpu")
    shot = torch.tensor([0.2, 0.0, -0.3])[None, :, None, None].expand(6, 3, 64, 64)

    def statistic(*without: Part) -> float:
        settings = Settings(steps=10, without=(Part.LORA, *without))
        preparation = Preparation(
            backbone, settings, plan_chunks(len(shot), backbone.chunk_frames), lambda chunk: shot, Workplace(Artifacts(tmp_path))
        )
        start = preparation.prepare(preparation.chunks[0]).trajectory[0]
        return anderson_darling((start / (preparation.sigmas[0] ** 2 + 1).sqrt()).numpy())

    assert statistic() < 4 < 10 < statistic(Part.SARP)

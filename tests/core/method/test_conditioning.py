"""METHOD section 0: what the model is told."""

import torch

from i2vedit_core.backbone import Backbone
from i2vedit_core.method.conditioning import CONDITION_NOISE, TIME_IDS, clip_pixels, condition_on


def test_a_flat_picture_stays_flat_with_clips_mean_and_deviation(tiny_backbone: Backbone) -> None:
    mean, deviation = (torch.tensor(values) for values in tiny_backbone.clip_statistics)
    pixels = clip_pixels(tiny_backbone, torch.full((1, 3, 500, 700), 0.5))
    assert pixels.shape == (1, 3, 224, 224)
    torch.testing.assert_close(pixels, ((0.75 - mean) / deviation)[None, :, None, None].expand(1, 3, 224, 224), atol=1e-4, rtol=0)


def test_what_is_finer_than_the_encoder_sees_is_averaged_not_aliased(tiny_backbone: Backbone) -> None:
    stripes = (torch.arange(1792) // 2 % 2 * 2.0 - 1).expand(1, 3, 448, 1792)  # a period of four pixels, reduced eight times
    assert clip_pixels(tiny_backbone, stripes)[..., 4:-4].std(dim=-1).max() < 0.1  # unfiltered: 3.7


def test_a_smaller_picture_is_enlarged_without_blur(tiny_backbone: Backbone) -> None:
    picture = torch.zeros(1, 3, 64, 64)
    picture[..., 32:] = 1
    pixels = clip_pixels(tiny_backbone, picture)
    assert (pixels.diff(dim=-1).abs() > 1e-3).sum(dim=-1).max() <= 16


def test_the_condition_is_the_unscaled_latent_with_a_little_noise_and_the_other_half_is_empty(tiny_backbone: Backbone) -> None:
    latent, noise = torch.randn(1, 4, 16, 16), torch.randn(1, 4, 16, 16)
    condition = condition_on(tiny_backbone, latent, torch.zeros(1, 3, 32, 32), noise)
    torch.testing.assert_close(condition.image, latent + CONDITION_NOISE * noise)
    assert condition.ids.tolist() == [[6.0, 127.0, torch.tensor(0.02).item()]] and TIME_IDS == (6.0, 127.0, 0.02)
    empty = condition.unconditional()
    assert not empty.image.any() and not empty.clip.any()
    assert torch.equal(empty.ids, condition.ids)

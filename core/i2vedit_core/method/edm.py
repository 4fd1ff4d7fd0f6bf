"""METHOD section 0: EDM preconditioning with v-prediction (Karras et al. 2022), and the noise grid.

z, sigma and everything computed from them stay float32; only the network itself runs in half precision, because in float16
sigma squared overflows at 700 and c_in silently becomes 0.
"""

from copy import deepcopy

import torch
from torch import Tensor

from i2vedit_core.backbone import Backbone
from i2vedit_core.method.conditioning import Condition


def noise_grid(backbone: Backbone, steps: int) -> Tensor:
    """The sampler's own grid: sigma_0 > ... > sigma_{N-1} > 0, `[N + 1]` float32, the last entry 0. From the model's scheduler."""
    scheduler = deepcopy(backbone.scheduler)
    scheduler.set_timesteps(steps)
    sigmas: Tensor = scheduler.sigmas
    return sigmas.to(torch.float32)


def c_skip(sigma: Tensor) -> Tensor:
    """The share of z itself in the clean latent, D = c_skip z + c_out U, as Karras et al. call it. All four: float32, shaped as sigma."""
    return 1 / (sigma**2 + 1)


def c_out(sigma: Tensor) -> Tensor:
    """The share of the network's answer in the clean latent."""
    return -sigma / (sigma**2 + 1).sqrt()


def c_in(sigma: Tensor) -> Tensor:
    """What z is multiplied with before the network sees it, so that its deviation is one at every noise level."""
    return 1 / (sigma**2 + 1).sqrt()


def c_noise(sigma: Tensor) -> Tensor:
    """What the network is told of the noise level."""
    return sigma.log() / 4


def predict(backbone: Backbone, z: Tensor, sigma: Tensor, condition: Condition) -> Tensor:
    """U, the network's raw answer, float32, for z: [B, F, C, h, w] float32 and sigma > 0: a scalar, or [B, 1, 1, 1, 1]."""
    image = condition.image[:, None].expand(-1, z.shape[1], -1, -1, -1)
    sample = torch.cat([c_in(sigma) * z, image], dim=2).to(backbone.dtype)
    context, ids = condition.clip.to(backbone.dtype), condition.ids.to(backbone.dtype)
    answer: Tensor = backbone.unet(sample, c_noise(sigma).reshape(-1), context, ids, return_dict=False)[0]
    return answer.float()


def denoised(z: Tensor, sigma: Tensor, answer: Tensor) -> Tensor:
    """D(z; sigma, c) = c_skip z + c_out U: the clean latent the network believes in."""
    return c_skip(sigma) * z + c_out(sigma) * answer


def slope(z: Tensor, sigma: Tensor, answer: Tensor) -> Tensor:
    """dz/dsigma = (z - D)/sigma, in the form without cancellation at large sigma: sigma z/(sigma^2 + 1) + U/sqrt(sigma^2 + 1)."""
    return sigma * z / (sigma**2 + 1) + answer / (sigma**2 + 1).sqrt()

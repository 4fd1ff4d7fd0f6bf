"""METHOD section 2: smooth area random perturbation. Perfectly flat areas never occur in training data, and inverting them gives
latents that are not Gaussian; a little noise there, before inversion only, mends it."""

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

FLAT = 0.001
"""Gradient magnitude up to which an area counts as flat, on pixels in [-1, 1]."""


def flat_areas(pixels: Tensor) -> Tensor:
    """M = [mean over RGB of |Sobel_x| + |Sobel_y| <= 0.001]: bool [F, 1, H, W] for pixels [F, 3, H, W] in [-1, 1]."""
    sobel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], device=pixels.device)
    kernels = torch.stack([sobel, sobel.T])[:, None].repeat(3, 1, 1, 1)
    gradients = conv2d(pad(pixels, (1, 1, 1, 1), mode="replicate"), kernels, groups=3)
    magnitude: Tensor = gradients.abs().unflatten(1, (3, 2)).sum(2).mean(1, keepdim=True)
    return magnitude <= FLAT


def perturb(pixels: Tensor, alpha: float, noise: Tensor) -> Tensor:
    """x <- clamp(x + alpha * noise, -1, 1) on flat areas; everything else stays. `noise` is unit Gaussian, shaped like `pixels`."""
    return torch.where(flat_areas(pixels), (pixels + alpha * noise).clamp(-1, 1), pixels)

"""METHOD section 3: EDM inversion. The source chunk's clean latents are carried up the sampler's own noise grid."""

from collections.abc import Callable

import torch
from torch import Tensor

from i2vedit_core.method.edm import slope

Predict = Callable[[Tensor, Tensor, int], Tensor]
"""(z, sigma, level) -> U. `level` is the index of sigma in the grid of `inversion_grid`, 0 at the top, N at the bottom."""


def inversion_grid(sigmas: Tensor) -> Tensor:
    """The sampler's grid with its final 0 replaced by sigma_{N-1}^2 / sigma_{N-2}: sigma at zero cannot be evaluated."""
    return torch.cat([sigmas[:-1], (sigmas[-2] ** 2 / sigmas[-3])[None]])


@torch.no_grad()
def invert(z: Tensor, sigmas: Tensor, predict: Predict, after_step: Callable[[int], None]) -> Tensor:
    """The trajectory [N + 1, F, C, h, w] float32: entry i is the source at noise level sigma_i, the last entry z itself.

    z: [1, F, C, h, w] scaled latents. Euler steps of the probability-flow ODE, going up; `after_step` is called after each.
    The entry 0 divided by sqrt(sigma_0^2 + 1) is what the sampler takes as its starting noise.
    """
    grid = inversion_grid(sigmas).to(z.device)
    trajectory = [z[0]]
    for level in range(len(grid) - 1, 0, -1):
        sigma, following = grid[level], grid[level - 1]
        z = z + (following - sigma) * slope(z, sigma, predict(z, sigma, level))
        trajectory.append(z[0])
        after_step(len(grid) - 1 - level)
    # In one memory layout whether it was computed or read back: the layout decides which kernels run, and so the last bits.
    return torch.stack(trajectory[::-1]).contiguous()

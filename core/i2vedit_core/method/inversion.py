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
def invert(z: Tensor, sigmas: Tensor, predict: Predict, after_step: Callable[[int], None], climbed: list[Tensor] | None = None) -> Tensor:
    """The trajectory [N + 1, F, C, h, w] float32: entry i is the source at noise level sigma_i, the last entry z itself.

    z: [1, F, C, h, w] scaled latents. Euler steps of the probability-flow ODE, going up; `after_step` is called after each.
    The entry 0 divided by sqrt(sigma_0^2 + 1) is what the sampler takes as its starting noise. `climbed` holds the entries of an inversion
    that was interrupted, from the bottom up: it goes on above them, and the list grows with every step.
    """
    grid = inversion_grid(sigmas).to(z.device)
    climbed = climbed if climbed is not None else []
    if not climbed:
        climbed.append(_plain(z[0]))
    for level in range(len(grid) - len(climbed), 0, -1):
        sigma, following, z = grid[level], grid[level - 1], climbed[-1][None]
        climbed.append(_plain((z + (following - sigma) * slope(z, sigma, predict(z, sigma, level)))[0]))
        after_step(len(grid) - 1 - level)
    return torch.stack(climbed[::-1])


def _plain(z: Tensor) -> Tensor:
    """In one memory layout whether it was computed or read back: the layout decides which kernels run, and so the last bits."""
    return z.contiguous()

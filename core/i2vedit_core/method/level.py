"""METHOD section 1, against drift: the mean of what is outside the edit stays, chunk after chunk, where chunk 0 has it.

Each chunk begins with what the one before made of its last frame, so a small error of colour grows from join to join. Outside the edit the
source says what the colour should be; what is missing there is missing inside as well.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from i2vedit_core.matte import Calibration
from i2vedit_core.method.lock import distance, painted_share

LEAST_OUTSIDE = 0.02
"""Share of the cells that must lie outside the edit for their mean to say anything."""


@dataclass(frozen=True)
class Level:
    """What chunk 0 teaches: how an edit is told from what is not one, and by how much it misses the source where nothing is edited."""

    calibration: Calibration
    error: Tensor
    """[C] float32 on the CPU."""

    @classmethod
    def of(cls, painted: Tensor, source: Tensor, edited: Tensor, edit_map: Tensor) -> "Level":
        """Scaled: painted [1, C, h, w], the painted frame; source and edited [1, F, C, h, w], of chunk 0. edit_map: [F, h, w]."""
        apart = distance(edited, source)
        share = painted_share(painted, source)
        calibration = Calibration.fit(apart[0].numpy(), edit_map[0].numpy(), share.numpy())
        error = _error(calibration, source, edited, edit_map)
        return cls(calibration, torch.zeros(source.shape[2]) if error is None else error)

    def held(self, source: Tensor, edited: Tensor, edit_map: Tensor) -> Tensor:
        """A later chunk's latents [1, F, C, h, w] with chunk 0's error outside the edit in the place of their own."""
        error = _error(self.calibration, source, edited, edit_map)
        if error is None:
            return edited
        return edited - (error - self.error).to(edited)[None, None, :, None, None]


def _error(calibration: Calibration, source: Tensor, edited: Tensor, edit_map: Tensor) -> Tensor | None:
    """Mean of edited - source [C] outside the edit; None where next to all of it is inside."""
    matte = torch.from_numpy(calibration.matte(distance(edited, source).numpy(), edit_map.numpy()))
    outside = (matte <= 0).double()
    if outside.mean() < LEAST_OUTSIDE:
        return None
    apart = (edited - source)[0].double().cpu()
    return ((apart * outside[:, None]).sum((0, 2, 3)) / outside.sum()).float()

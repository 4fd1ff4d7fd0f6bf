"""METHOD section 1, the option `lock`: the predicted clean latent is held to the source wherever nothing is edited, against drift."""

import torch
from torch import Tensor

from i2vedit_core.matte import Calibration
from i2vedit_core.method.attention.edit_map import EditMap

FROM = 0.4
"""Share of the steps that pass before the lock takes hold: at first the prediction is a blur that shows no edit yet."""
PAINTED = 0.25
"""Distance of scaled latents, root mean square over channels, from which on the first frame counts as painted."""


class Lock:
    """What is painted is known in the first frame of chunk 0; the lock learns from it, at each level, what an edit looks like there."""

    def __init__(self, painted: Tensor, steps: int) -> None:
        """painted: scaled latent [1, C, h, w] of the painted frame."""
        self._painted, self._first = painted, round(FROM * steps)
        self._calibrations: dict[int, Calibration] = {}

    def learned(self) -> Tensor:
        """What chunk 0 has taught, to be written down: [levels, 4] float64: level, and its calibration."""
        rows = [[level, each.map_outside, each.map_inside, each.threshold] for level, each in self._calibrations.items()]
        return torch.tensor(rows, dtype=torch.float64).reshape(-1, 4)

    def take_up(self, learned: Tensor) -> None:
        """What `learned` gave."""
        self._calibrations = {int(level): Calibration(*values) for level, *values in learned.tolist()}

    def hold(self, chunk: int, source: Tensor, clean: Tensor, edit_map: EditMap, level: int) -> Tensor:
        """The clean latent with the source's in its place outside the edit. source, clean: scaled [1, F, C, h, w]."""
        if level < self._first:
            return clean
        distance, attention = _distance(clean, source), edit_map.mean()
        if chunk == 0:
            painted = (_distance(self._painted[None], source[:, :1])[0] / PAINTED).clamp(0, 1)
            self._calibrations[level] = Calibration.fit(distance[0].numpy(), attention[0].numpy(), painted.numpy())
        matte = torch.from_numpy(self._calibrations[level].matte(distance.numpy(), attention.numpy()))
        return source + matte[None, :, None].to(source) * (clean - source)


def _distance(first: Tensor, second: Tensor) -> Tensor:
    """Root mean square over channels: [F, h, w] on the CPU, smoothed over three cells."""
    apart = (first - second)[0].square().mean(1, keepdim=True).sqrt()
    return torch.nn.functional.avg_pool2d(apart, 3, stride=1, padding=1, count_include_pad=False)[:, 0].cpu()

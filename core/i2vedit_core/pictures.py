"""Between pictures, as media and delivery know them, and pixels, as the method does."""

import numpy as np
import torch
from torch import Tensor

from i2vedit_core.media.decode import decode_along
from i2vedit_core.media.fit import Fit
from i2vedit_core.media.pixels import Picture
from i2vedit_core.shot import Shot


def read_chunk(shot: Shot, fit: Fit, frames: range) -> Tensor:
    """Source frames [F, 3, h, w] float32 in [-1, 1] at the model's size, in the order of `frames`, which may go back in time."""
    in_time = frames if frames.step > 0 else frames[::-1]
    pictures = [fit.to_model(frame) for frame in decode_along(shot.clip, in_time)]
    return to_pixels(np.stack(pictures if frames.step > 0 else pictures[::-1]))


def to_pixels(pictures: Picture) -> Tensor:
    """[F, h, w, 3] in 0..1 to [F, 3, h, w] in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pictures, np.float32)).permute(0, 3, 1, 2) * 2 - 1


def to_pictures(pixels: Tensor) -> Picture:
    """[F, 3, h, w] in [-1, 1] to [F, h, w, 3] in 0..1."""
    return np.ascontiguousarray((pixels.permute(0, 2, 3, 1).cpu().numpy() + 1) / 2)

"""The shot's pictures as the method needs them: chunks of the plate at the model's size, and the painted frame."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from i2vedit_core.delivery.matte import painted_difference, was_painted
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.media.fit import Fit
from i2vedit_core.media.pixels import Picture
from i2vedit_core.media.still import read_still
from i2vedit_core.shot import Edit, Shot

EIGHT_BIT = 1.01 / 255
SIXTEEN_BIT = 2 / 65535
"""Photoshop's 16 bits are 15 bits and one value more."""


@dataclass(frozen=True)
class Painted:
    """The painted frame beside its plate, both [H, W, 3] float32 in the plate's encoding."""

    plate: Picture
    picture: Picture

    @property
    def difference(self) -> Picture:
        """[H, W] float32."""
        return painted_difference(self.plate, self.picture)

    @property
    def changed(self) -> bool:
        """Whether anything was painted at all."""
        return was_painted(self.difference)

    @property
    def precision(self) -> float:
        """The difference that the picture's own rounding may make."""
        codes = self.picture * 255
        return EIGHT_BIT if bool(np.abs(codes - np.rint(codes)).max() < 1e-3) else SIXTEEN_BIT


def read_painted(edit: Edit, shot: Shot) -> Painted:
    """Raises BridgeError as `read_still` and `decode_frames`."""
    (plate,) = decode_frames(shot.clip, shot.first, shot.first)
    return Painted(plate[..., :3], read_still(edit.image, shot.clip, plate))


def read_chunk(shot: Shot, fit: Fit, first: int, count: int) -> Tensor:
    """Source frames [F, 3, h, w] float32 in [-1, 1] at the model's size, from source frame `first` on."""
    return to_pixels(np.stack([fit.to_model(frame) for frame in decode_frames(shot.clip, first, first + count - 1)]))


def to_pixels(pictures: Picture) -> Tensor:
    """[F, h, w, 3] in 0..1 to [F, 3, h, w] in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pictures, np.float32)).permute(0, 3, 1, 2) * 2 - 1


def to_pictures(pixels: Tensor) -> Picture:
    """[F, 3, h, w] in [-1, 1] to [F, h, w, 3] in 0..1."""
    return np.ascontiguousarray((pixels.permute(0, 2, 3, 1).cpu().numpy() + 1) / 2)

"""A global look, applied to the finished picture: what a grade or a filter does to the whole frame."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from i2vedit_core.synthetic.texture import Color

Picture = npt.NDArray[np.float32]

LUMA = np.asarray((0.2126, 0.7152, 0.0722), np.float32)


@dataclass(frozen=True)
class Look:
    """Gain per channel, then a tone curve, then grey, then a palette, then ink. The defaults change nothing."""

    gain: Color = (1.0, 1.0, 1.0)
    gamma: float = 1.0
    grey: float = 0.0
    """Share of the picture's own luma, 0..1."""
    palette: tuple[Color, Color] | None = None
    """Shadows and highlights of a duotone, mixed in by three quarters."""
    ink: float = 0.0
    """How black the lines along edges are, 0..1."""

    def apply(self, picture: Picture) -> Picture:
        """`[H, W, 3]` to the same, in 0..1."""
        picture = np.asarray(np.clip(picture * np.asarray(self.gain, np.float32), 0, 1) ** np.float32(self.gamma), np.float32)
        luma = (picture @ LUMA)[..., None]
        picture = picture + (luma - picture) * np.float32(self.grey)
        if self.palette is not None:
            shadows, highlights = (np.asarray(color, np.float32) for color in self.palette)
            picture = np.asarray(0.25 * picture + 0.75 * (shadows * (1 - luma) + highlights * luma), np.float32)
        if self.ink > 0:
            picture = picture * (1 - np.float32(self.ink) * _lines(luma[..., 0])[..., None])
        return np.asarray(picture, np.float32)


UNCHANGED = Look()


def _lines(luma: Picture) -> Picture:
    """Where lines are drawn, 0..1: along edges, as wide at any size of the picture."""
    down, right = np.gradient(luma, np.float32(1 / len(luma)))
    return np.asarray(1 - np.exp(-((np.hypot(down, right) / 6) ** 2)), np.float32)

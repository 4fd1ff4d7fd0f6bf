"""The way back from a frame to an earlier or later one along the plate's optical flow, and how surely it leads there.

All lengths are shares of the picture's shorter side, so that a larger picture of the same shot gets the same answer, enlarged.
"""

import cv2
import numpy as np

from i2vedit_core.media.flow import Flow, Plane, WayBack, fetch, pixel_grid, seen_flow
from i2vedit_core.media.pixels import Picture, largest_difference

DARK = 0.02
"""Values below this say nothing about the light."""
SLIP = 1.0 / 64
"""Disagreement of flow forwards and backwards at which a way is trusted by half."""
UNLIKE = 0.1
"""Difference between the plate and what is fetched for it at which a way is trusted by half."""


class SureWay:
    """Is shown the frames after a first one, one after the other."""

    def __init__(self, first: Picture) -> None:
        """`first` [h, w, 3] in 0..1."""
        self._first, self._way, self.side = first, WayBack(first), min(first.shape[:2])
        self.turned = np.zeros(first.shape[:2], np.float32)
        """[h, w]: the largest disagreement of flow forwards and backwards on the whole way back, as a share of the shorter side."""
        self.mismatch = np.zeros(first.shape[:2], np.float32)
        """[h, w]: how unlike the latest frame is to what the way fetches from the first; light that changes as a whole is allowed."""

    @property
    def x(self) -> Plane:
        """[h, w]: column on the first frame."""
        return self._way.x

    @property
    def y(self) -> Plane:
        """[h, w]: row on it."""
        return self._way.y

    @property
    def trust(self) -> Plane:
        """[h, w] in 0..1, never 0: how surely what is seen here is what is seen there on the first frame."""
        return half_at(self.turned, SLIP) * half_at(self.mismatch, UNLIKE)

    def follow(self, frame: Picture) -> tuple[Flow, Plane]:
        """Goes on to the next frame; the flow [h, w, 2] from it back to the one before, and [h, w] in 0..1 how surely that leads there."""
        forth = seen_flow(self._way.latest, frame)
        back = self._way.follow(frame)
        step = self._disagreement(back, forth)
        self.mismatch = self._unlike(frame)
        return back, half_at(step, SLIP)

    def _disagreement(self, back: Flow, forth: Flow) -> Plane:
        """Of this step; leaving the picture is one, too. The way remembers its largest."""
        height, width = back.shape[:2]
        columns, rows = pixel_grid(back)
        x, y = columns + back[..., 0], rows + back[..., 1]
        apart = np.linalg.norm(back + fetch(forth, x, y), axis=-1)
        outside = np.maximum.reduce([-x, x - (width - 1), -y, y - (height - 1), np.zeros_like(x)])
        step = np.asarray((apart + outside) / self.side, np.float32)
        self.turned = np.maximum(step, fetch(self.turned, x, y))
        return step

    def _unlike(self, frame: Picture) -> Plane:
        fetched = fetch(self._first, self.x, self.y)
        light = np.float32(np.median(frame.mean(axis=-1) / np.maximum(fetched.mean(axis=-1), DARK)))
        return blurred(largest_difference(frame, light * fetched), self.side / 90)


def blurred(picture: Picture, sigma: float) -> Picture:
    """A picture or plane under a Gaussian of `sigma` pixels; its border goes on outside."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.float32)


def half_at(value: Plane, half: float) -> Plane:
    """1 at 0, one half at `half`, and falling on."""
    return np.asarray(1 / (1 + np.square(value / half)), np.float32)

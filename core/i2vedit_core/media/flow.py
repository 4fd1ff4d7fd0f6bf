"""Optical flow as it is seen in pictures, and the way back along it to a first frame.

Pictures are `[H, W, 3]` float32 in 0..1. Flow is `[H, W, 2]` float32 in pixels (right, down), at the pixels of the picture it leaves.
"""

import math

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates

from i2vedit_core.media.pixels import Picture

Flow = npt.NDArray[np.float32]
Plane = npt.NDArray[np.float32]

FLOW_SIDE = 128
"""Pixels of the shorter side that optical flow is computed at, at least. DIS starts from a picture a few patches of 8 pixels wide and
ends at half size: 64 pixels leave it one level. Enlarging twice lowers its error; enlarging further takes in no more of the
picture with a patch, and was measured to be worse."""


def seen_flow(first: Picture, second: Picture) -> Flow:
    """Optical flow `[H, W, 2]` in pixels from one picture `[H, W, 3]` to another: OpenCV's DIS (Kroeger et al. 2016), medium preset.

    Small pictures are enlarged first (FLOW_SIDE).
    """
    height, width = first.shape[:2]
    factor = max(1, math.ceil(FLOW_SIDE / min(height, width)))
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow = dis.calc(_gray(first, factor), _gray(second, factor), None)  # type: ignore[call-overload]  # None: from nothing
    return np.asarray(cv2.resize(flow, (width, height), interpolation=cv2.INTER_AREA) / factor, np.float32)


def pixel_grid(clip: Picture) -> tuple[Plane, Plane]:
    """Column and row of every pixel of a clip or picture `[..., H, W, 3]`, each `[H, W]`."""
    rows, columns = np.indices(clip.shape[-3:-1]).astype(np.float32)
    return np.asarray(columns), np.asarray(rows)


def fetch(picture: Picture, x: Plane, y: Plane) -> Picture:
    """Values `[H, W, C]` of `picture` `[H, W, C]` at the pixel coordinates `x`, `y` `[H, W]`; bilinear, the border goes on outside."""
    channels = [map_coordinates(channel, (y, x), order=1, mode="nearest") for channel in np.moveaxis(picture, -1, 0)]
    return np.stack(channels, axis=-1)


class WayBack:
    """Where each pixel of a frame lies on the first one: composed from the flow between neighbours, frame after frame.

    A pixel looks back one frame, and from there goes on along the way that was found for that frame. What was hidden or out of
    the picture on the first frame ends wherever that leads.
    """

    def __init__(self, first: Picture) -> None:
        self.latest = first
        self.x, self.y = pixel_grid(first)
        """`[H, W]` each: column and row on the first frame."""

    def follow(self, frame: Picture) -> Flow:
        """Goes on to the next frame; the flow `[H, W, 2]` from it back to the one before."""
        back = seen_flow(frame, self.latest)
        columns, rows = pixel_grid(frame)
        way = fetch(np.stack([self.x, self.y], axis=-1), columns + back[..., 0], rows + back[..., 1])
        self.x, self.y, self.latest = way[..., 0], way[..., 1], frame
        return back


def _gray(picture: Picture, factor: int) -> npt.NDArray[np.uint8]:
    """Luma in 8 bits, which is what DIS reads, enlarged by `factor`."""
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    large = cv2.resize(luma, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    return np.clip(np.rint(large * 255), 0, 255).astype(np.uint8)

"""Optical flow as it is seen in pictures, and the way back along it to a first frame.

Pictures are `[H, W, 3]` float32 in 0..1. Flow is `[H, W, 2]` float32 in pixels (right, down), at the pixels of the picture it leaves.
"""

import math

import cv2
import numpy as np
import numpy.typing as npt

from i2vedit_core.media.pixels import Picture

Flow = npt.NDArray[np.float32]
Plane = npt.NDArray[np.float32]

FLOW_SIDE = 128
"""Pixels of the shorter side that optical flow is computed at, at least. DIS starts from a picture a few patches of 8 pixels wide and
ends at half size: 64 pixels leave it one level. Enlarging twice lowers its error; enlarging further takes in no more of the
picture with a patch, and was measured to be worse."""
TRACKED_SIDE = 540
"""Pixels of the shorter side that flow is computed at, at most: time and memory for a plate of 4K are those of a quarter of HD."""


def seen_flow(first: Picture, second: Picture) -> Flow:
    """Optical flow `[H, W, 2]` in pixels from one picture `[H, W, 3]` to another: OpenCV's DIS (Kroeger et al. 2016), medium preset.

    Small pictures are enlarged first (FLOW_SIDE).
    """
    height, width = first.shape[:2]
    factor = max(1, math.ceil(FLOW_SIDE / min(height, width)))
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow = dis.calc(_gray(first, factor), _gray(second, factor), None)  # type: ignore[call-overload]  # None: from nothing
    return np.asarray(cv2.resize(flow, (width, height), interpolation=cv2.INTER_AREA) / factor, np.float32)


def tracked(picture: Picture) -> Picture:
    """A picture `[H, W, C]` or plane `[H, W]` at the size it is followed at: as it is, or averaged to a shorter side of TRACKED_SIDE."""
    height, width = picture.shape[:2]
    scale = TRACKED_SIDE / min(height, width)
    return picture if scale >= 1 else resized(picture, round(height * scale), round(width * scale))


def resized(picture: Picture, height: int, width: int) -> Picture:
    """A picture `[H, W, C]` or plane `[H, W]` at another size: averaged where it gets smaller, linear between where it gets larger."""
    smaller = height * width < picture.shape[0] * picture.shape[1]
    method = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(np.ascontiguousarray(picture, np.float32), (width, height), interpolation=method), np.float32)


def pixel_grid(clip: Picture) -> tuple[Plane, Plane]:
    """Column and row of every pixel of a clip or picture `[..., H, W, 3]`, each `[H, W]`."""
    rows, columns = np.indices(clip.shape[-3:-1]).astype(np.float32)
    return np.asarray(columns), np.asarray(rows)


def fetch(picture: Picture, x: Plane, y: Plane) -> Picture:
    """Values `[h, w, C]` of `picture` `[H, W, C]` at its pixel coordinates `x`, `y` `[h, w]`; bilinear, the border goes on outside.

    A plane `[H, W]` gives a plane. Up to four channels. Places are rounded to 1/32 of a pixel (OpenCV's remap).
    """
    return np.asarray(cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32).reshape(
        *x.shape, *picture.shape[2:]
    )


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
        x, y = columns + back[..., 0], rows + back[..., 1]
        # What was moved until then is fetched, and not the places: `fetch` rounds, and a slow pan would stand still.
        moved = fetch(np.stack([self.x - columns, self.y - rows], axis=-1), x, y)
        self.x, self.y, self.latest = x + moved[..., 0], y + moved[..., 1], frame
        return back


def _gray(picture: Picture, factor: int) -> npt.NDArray[np.uint8]:
    """Luma in 8 bits, which is what DIS reads, enlarged by `factor`."""
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    large = cv2.resize(luma, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    return np.clip(np.rint(large * 255), 0, 255).astype(np.uint8)

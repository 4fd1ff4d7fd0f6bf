"""What somebody would do without the method, on arrays. Clips are `[F, H, W, 3]` float32, display-referred RGB in 0..1."""

from itertools import pairwise

import numpy as np

from metrics import Clip, Plane, fetch, pixel_grid, seen_flow


def hold(edited_first: Clip, frame_count: int) -> Clip:
    """The painted frame `[H, W, 3]`, standing still for `frame_count` frames."""
    return np.repeat(edited_first[None], frame_count, axis=0)


def flow_warp(source: Clip, edited_first: Clip) -> Clip:
    """The painted frame `[H, W, 3]` carried along the optical flow of the `source`: the idea of EbSynth, without its patch blending.

    Each frame fetches from the painted frame, bilinearly and once, so nothing gets softer from frame to frame. Where to fetch is
    composed from the flow between neighbours: a pixel looks back one frame (DIS, `metrics.seen_flow`), and from there goes on along
    the way that was found for that frame. What was hidden or out of the picture on the painted frame takes whatever lies there.
    """
    x, y = pixel_grid(source)
    way_x, way_y = x, y
    clip = [edited_first]
    for earlier, frame in pairwise(source):
        back = seen_flow(frame, earlier)
        way_x, way_y = _compose(way_x, way_y, x + back[..., 0], y + back[..., 1])
        clip.append(fetch(edited_first, way_x, way_y))
    return np.stack(clip)


def _compose(way_x: Plane, way_y: Plane, x: Plane, y: Plane) -> tuple[Plane, Plane]:
    """Where the points `x`, `y` `[H, W]` of the earlier frame come from, by that frame's own way back `[H, W]`."""
    way = fetch(np.stack([way_x, way_y], axis=-1), x, y)
    return way[..., 0], way[..., 1]

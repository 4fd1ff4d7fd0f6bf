"""What somebody would do without the method, on arrays. Clips are `[F, H, W, 3]` float32, display-referred RGB in 0..1."""

import numpy as np

from i2vedit_core.media.flow import WayBack, fetch
from metrics import Clip


def hold(edited_first: Clip, frame_count: int) -> Clip:
    """The painted frame `[H, W, 3]`, standing still for `frame_count` frames."""
    return np.repeat(edited_first[None], frame_count, axis=0)


def flow_warp(source: Clip, edited_first: Clip) -> Clip:
    """The painted frame `[H, W, 3]` carried along the optical flow of the `source`: the idea of EbSynth, without its patch blending.

    Each frame fetches from the painted frame, bilinearly and once, so nothing gets softer from frame to frame. Where to fetch is
    composed from the flow between neighbours (`WayBack`). What was hidden or out of the picture on the painted frame takes
    whatever lies there.
    """
    way, clip = WayBack(source[0]), [edited_first]
    for frame in source[1:]:
        way.follow(frame)
        clip.append(fetch(edited_first, way.x, way.y))
    return np.stack(clip)

"""What the method is measured against."""

import numpy as np
from scipy.ndimage import gaussian_filter

from metrics import Clip
from rivals import flow_warp, hold

SIDE = 64


def texture(seed: int) -> Clip:
    spots = gaussian_filter(np.random.default_rng(seed).standard_normal((2 * SIDE, 2 * SIDE, 3)), (2, 2, 0))
    return np.asarray((0.5 + 0.2 * spots / spots.std()).clip(0, 1), np.float32)


def moving(picture: Clip, frames: int, right: int, down: int) -> Clip:
    corners = [(32 - frame * down, 32 - frame * right) for frame in range(frames)]
    return np.stack([picture[top : top + SIDE, left : left + SIDE] for top, left in corners])


def test_hold_stands_still():
    painted = texture(0)[:SIDE, :SIDE]
    clip = hold(painted, 5)
    assert clip.shape == (5, SIDE, SIDE, 3) and clip.dtype == np.float32
    assert (clip == painted).all()


def test_flow_warp_carries_the_painted_frame_along_the_source():
    """Eight frames of three pixels: each flow is small, all of them together are a third of the picture."""
    source, truth = moving(texture(0), 8, 3, -1), moving(0.3 + 0.5 * texture(1), 8, 3, -1)
    clip = flow_warp(source, truth[0])
    assert clip.shape == truth.shape and clip.dtype == np.float32
    assert np.array_equal(clip[0], truth[0])
    known = np.s_[7, : SIDE - 7, 7 * 3 :]
    assert np.abs(clip - truth)[known].mean() < 0.02
    assert np.abs(hold(truth[0], 8) - truth)[known].mean() > 0.08


def test_flow_warp_knows_nothing_of_what_was_out_of_the_picture():
    source = moving(texture(0), 6, 4, 0)
    wrong = np.abs(flow_warp(source, source[0]) - source)[5]
    assert wrong[:, 2:18].mean() > 5 * wrong[:, 22:].mean()


def test_flow_warp_of_a_still_source_is_the_painted_frame():
    source = np.repeat(texture(0)[None, :SIDE, :SIDE], 4, axis=0)
    painted = texture(1)[:SIDE, :SIDE]
    assert np.abs(flow_warp(source, painted) - painted).max() < 1e-4
    assert np.array_equal(flow_warp(source[:1], painted), painted[None])

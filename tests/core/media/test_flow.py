"""Optical flow and the way back, on a texture that slides."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from i2vedit_core.media.flow import WayBack, fetch, pixel_grid, seen_flow

SIDE = 64


def _sliding(frames: int, right: int, down: int) -> np.ndarray:
    spots = gaussian_filter(np.random.default_rng(0).standard_normal((2 * SIDE, 2 * SIDE, 3)), (2, 2, 0))
    texture = np.asarray((0.5 + 0.2 * spots / spots.std()).clip(0, 1), np.float32)
    return np.stack([texture[32 - i * down :, 32 - i * right :][:SIDE, :SIDE] for i in range(frames)])


def test_flow_is_right_and_down_from_the_first_picture_to_the_second() -> None:
    first, second = _sliding(2, right=3, down=-1)
    flow = seen_flow(first, second)
    assert flow.shape == (SIDE, SIDE, 2) and flow.dtype == np.float32
    assert np.median(flow[8:-8, 8:-8], axis=(0, 1)) == pytest.approx([3, -1], abs=0.2)


def test_the_way_back_adds_up_what_lies_between() -> None:
    clip = _sliding(6, right=3, down=-1)
    way = WayBack(clip[0])
    columns, rows = pixel_grid(clip[0])
    assert np.array_equal(way.x, columns) and np.array_equal(way.y, rows)
    for frame in clip[1:]:
        way.follow(frame)
    seen = np.s_[8:-8, 20:-8]
    assert np.abs(way.x - (columns - 15))[seen].mean() < 0.5
    assert np.abs(way.y - (rows + 5))[seen].mean() < 0.5
    assert np.abs(fetch(clip[0], way.x, way.y) - clip[-1])[seen].mean() < 0.02

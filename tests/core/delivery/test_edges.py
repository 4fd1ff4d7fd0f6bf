"""A coarse matte that finds the plate's edges."""

import numpy as np

from i2vedit_core.delivery.edges import along_edges
from i2vedit_core.media.flow import resized


def _disc(side: int, radius: float) -> np.ndarray:
    rows, columns = np.indices((side, side), np.float32) + 0.5 - side / 2
    return np.asarray(np.hypot(rows, columns) < radius * side)


def test_a_coarse_matte_becomes_as_sharp_as_the_plate() -> None:
    disc = _disc(256, 0.3)
    plate = np.where(disc[..., None], (0.8, 0.3, 0.2), (0.2, 0.4, 0.5)).astype(np.float32)
    plate += np.random.default_rng(0).normal(0, 0.01, plate.shape).astype(np.float32)
    small = resized(disc.astype(np.float32), 64, 64)
    found = along_edges(small, resized(plate, 64, 64), plate, 2)
    enlarged = resized(small, 256, 256)
    assert found.shape == (256, 256) and found.dtype == np.float32 and found.min() >= 0 and found.max() <= 1
    assert np.abs(found - disc).mean() < 0.4 * np.abs(enlarged - disc).mean()


def test_where_no_matte_is_near_it_is_exactly_nothing() -> None:
    plate = np.random.default_rng(1).random((128, 128, 3), np.float32)
    matte = np.zeros((32, 32), np.float32)
    matte[8:12, 8:12] = 1
    found = along_edges(matte, resized(plate, 32, 32), plate, 2)
    assert not found[80:].any() and not found[:, 80:].any()


def test_a_plate_without_edges_leaves_the_matte_soft() -> None:
    plate = np.full((64, 64, 3), 0.5, np.float32)
    found = along_edges(np.ones((16, 16), np.float32), plate[:16, :16], plate, 1)
    np.testing.assert_allclose(found, 1, atol=1e-4)

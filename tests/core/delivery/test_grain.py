"""Grain that is measured is drawn again."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from i2vedit_core.delivery.grain import Grain

SIDE = 192


def _plate(softness: float, dark: float, bright: float) -> np.ndarray:
    """A ramp whose grain grows from `dark` to `bright`; its channels are alike by three quarters."""
    draw = np.random.default_rng(5)
    ramp = np.broadcast_to(np.linspace(0.1, 0.9, SIDE, dtype=np.float32)[None, :, None], (SIDE, SIDE, 3))
    noise = draw.standard_normal((SIDE, SIDE, 1)) * 0.87 + draw.standard_normal((SIDE, SIDE, 3)) * 0.5
    if softness:
        noise = gaussian_filter(noise, (softness, softness, 0))
        noise /= noise.std()
    return np.asarray(ramp + noise * np.linspace(dark, bright, SIDE)[None, :, None], np.float32)


def _fine(picture: np.ndarray) -> np.ndarray:
    return np.asarray(picture - gaussian_filter(picture, (1, 1, 0)))


@pytest.mark.parametrize("softness", [0.0, 0.75])
def test_drawn_grain_is_like_the_measured_one(softness: float) -> None:
    plate = _plate(softness, 0.01, 0.04)
    clean = np.broadcast_to(np.linspace(0.1, 0.9, SIDE, dtype=np.float32)[None, :, None], (SIDE, SIDE, 3))
    grain = Grain.of(plate)
    drawn = grain.over(clean.copy(), np.ones((SIDE, SIDE), np.float32), (1, 7))
    for part in (np.s_[:, 20:60], np.s_[:, 130:170]):
        assert _fine(drawn)[part].std() == pytest.approx(_fine(plate)[part].std(), rel=0.25)
    assert abs(grain.softness - softness) <= 0.25
    wanted, found = (np.corrcoef(_fine(each)[..., 0].ravel(), _fine(each)[..., 1].ravel())[0, 1] for each in (plate, drawn))
    assert found == pytest.approx(wanted, abs=0.15)


def test_structure_is_not_taken_for_grain() -> None:
    """Leaves all over the bright half, and a strip of wall beside them."""
    plate, draw = _plate(0, 0.01, 0.01), np.random.default_rng(6)
    leaves = gaussian_filter(draw.standard_normal((SIDE, SIDE, 1)), (0.7, 0.7, 0)) * 0.2
    leaves[:, :60] = leaves[:30] = 0
    flat = np.full((64, 64, 3), 0.7, np.float32)
    drawn = Grain.of((plate + leaves).astype(np.float32)).over(flat, np.ones((64, 64), np.float32), (0, 1))
    assert (drawn - flat).std() == pytest.approx(0.01, rel=0.35)


def test_the_same_seed_draws_the_same_and_every_frame_another() -> None:
    grain, flat, whole = Grain.of(_plate(0, 0.02, 0.02)), np.full((32, 32, 3), 0.5, np.float32), np.ones((32, 32), np.float32)
    first = grain.over(flat, whole, (0, 1))
    assert np.array_equal(first, grain.over(flat, whole, (0, 1)))
    assert not np.array_equal(first, grain.over(flat, whole, (0, 2)))
    assert np.array_equal(grain.over(flat, 0 * whole, (0, 1)), flat)


def test_a_clean_plate_has_none() -> None:
    clean = np.full((64, 64, 3), 0.5, np.float32)
    assert np.abs(Grain.of(clean).over(clean, np.ones((64, 64), np.float32), (0, 0)) - clean).max() < 1e-6
    black = np.zeros((64, 64, 3), np.float32)
    assert np.isfinite(Grain.of(black).over(black, np.ones((64, 64), np.float32), (0, 0))).all()

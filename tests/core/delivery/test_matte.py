"""The matte on cases whose answer is known."""

import numpy as np

from i2vedit_core.delivery.matte import NOTHING, Calibration, evidence, finish, painted_matte, was_painted


def _block(value: float, height: int = 64, width: int = 64) -> np.ndarray:
    picture = np.zeros((height, width), np.float32)
    picture[20:40, 16:36] = value
    return picture


def test_nothing_painted_is_nothing() -> None:
    noise = np.abs(np.random.default_rng(0).normal(0, 1 / 255, (64, 64))).astype(np.float32)
    assert not was_painted(noise)
    assert not was_painted(np.zeros((64, 64), np.float32))
    assert was_painted(_block(0.1))


def test_the_painted_frames_matte_is_where_it_was_painted() -> None:
    matte = painted_matte(_block(0.1), 2 / 65535)
    assert np.array_equal(matte, (_block(1) > 0).astype(np.float32))


def test_the_calibration_finds_the_painted_region_again() -> None:
    """Evidence as a model gives it: strong inside, weak noise outside."""
    draw = np.random.default_rng(1)
    found = (_block(0.4) + np.abs(draw.normal(0, 0.02, (64, 64)))).astype(np.float32)
    matte = Calibration.of(found, _block(0.3)).matte(found)
    painted = _block(1) > 0
    assert matte[painted].min() > 0.9
    assert matte[~painted].mean() < 0.01


def test_evidence_needs_both_changed_pixels_and_changed_attention() -> None:
    changed = np.stack([_block(0.5)] * 3, axis=-1)[None]
    same, somewhere = np.zeros_like(changed), _block(1.0)[None]
    assert evidence(changed, same, somewhere)[0, 30, 26] > 0.5
    assert evidence(changed, same, np.zeros_like(somewhere)).max() == 0
    assert evidence(same, same, somewhere).max() == 0


def test_next_to_nothing_is_exactly_nothing() -> None:
    finished = finish(np.array([[-0.1, 0.0, NOTHING * 0.99, NOTHING, 0.5, 1.2]], np.float32))
    assert finished.tolist() == [[0.0, 0.0, 0.0, NOTHING, 0.5, 1.0]]

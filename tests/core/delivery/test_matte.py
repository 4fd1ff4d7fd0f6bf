"""The matte on cases whose answer is known."""

import numpy as np

from i2vedit_core.matte import NOTHING, Calibration, change, finish, painted_matte, was_painted


def _block(value: float, height: int = 64, width: int = 64) -> np.ndarray:
    picture = np.zeros((height, width), np.float32)
    picture[20:40, 16:36] = value
    return picture


def test_nothing_painted_is_nothing() -> None:
    noise = np.abs(np.random.default_rng(0).normal(0, 1 / 255, (64, 64))).astype(np.float32)
    assert not was_painted(noise, exact=False)
    assert not was_painted(np.zeros((64, 64), np.float32), exact=True)
    assert was_painted(_block(0.1), exact=False)


def test_with_sixteen_bits_the_faintest_stroke_counts() -> None:
    stroke = np.zeros((64, 64), np.float32)
    stroke[30, 30] = 0.001
    assert was_painted(stroke, exact=True)


def test_the_painted_frames_matte_is_where_it_was_painted() -> None:
    matte = painted_matte(_block(0.1), 2 / 65535)
    assert np.array_equal(matte, (_block(1) > 0).astype(np.float32))


def test_the_calibration_finds_the_painted_region_again() -> None:
    """A change as a model shows it: strong inside, weak noise outside; an edit map that is never quite zero."""
    draw = np.random.default_rng(1)
    changed = (_block(0.4) + np.abs(draw.normal(0, 0.02, (64, 64)))).astype(np.float32)
    edit_map = (0.12 + _block(0.05)).astype(np.float32)
    calibration = Calibration.of(changed, edit_map, _block(0.3))
    matte, painted = calibration.matte(changed, edit_map), _block(1) > 0
    assert abs(calibration.map_outside - 0.12) < 1e-6 and abs(calibration.map_inside - 0.17) < 1e-6
    assert matte[painted].min() > 0.9
    assert matte[~painted].mean() < 0.01


def test_what_attention_does_not_support_counts_less() -> None:
    """The same change twice, once where the edit map says that something was edited."""
    calibration = Calibration(map_outside=0.1, map_inside=0.2, threshold=0.2)
    changed = np.full((1, 2), 0.16, np.float32)
    outside, inside = calibration.matte(changed, np.array([[0.1, 0.2]], np.float32))[0]
    assert outside == 0 and inside > 0.5


def test_a_map_that_tells_nothing_leaves_it_to_the_pixels() -> None:
    whole_frame = Calibration.of(np.full((8, 8), 0.3, np.float32), np.full((8, 8), 0.1, np.float32), np.full((8, 8), 0.3, np.float32))
    assert whole_frame.matte(np.full((8, 8), 0.3, np.float32), np.full((8, 8), 0.1, np.float32)).min() == 1


def test_a_change_is_the_largest_over_rgb_and_stays_in_its_frame() -> None:
    edited = np.zeros((2, 16, 16, 3), np.float32)
    edited[1, 4:12, 4:12, 2] = 0.5
    found = change(edited, np.zeros_like(edited))
    assert found[0].max() == 0
    assert abs(found[1, 8, 8] - 0.5) < 0.01


def test_where_nothing_was_painted_no_change_is_an_edit() -> None:
    changed, edit_map = _block(0.9), _block(0.5)
    assert not Calibration.of(changed, edit_map, np.zeros_like(changed)).matte(changed, edit_map).any()


def test_next_to_nothing_is_exactly_nothing() -> None:
    finished = finish(np.array([[-0.1, 0.0, NOTHING * 0.99, NOTHING, 0.5, 1.2]], np.float32))
    assert finished.tolist() == [[0.0, 0.0, 0.0, NOTHING, 0.5, 1.0]]


def test_a_witness_lowers_the_threshold_inside_and_raises_it_outside() -> None:
    """The same change everywhere: a quarter of what counts without a witness."""
    calibration = Calibration(map_outside=0.1, map_inside=0.1, threshold=0.2)
    changed, edit_map = np.full((1, 3), 0.05, np.float32), np.full((1, 3), 0.1, np.float32)
    assert not calibration.matte(changed, edit_map).any()
    assert calibration.witnessed(changed, edit_map, np.array([[1, 0, -1]], np.float32)).tolist() == [[1, 0, 0]]
    assert calibration.witnessed(4 * changed, edit_map, np.array([[1, 0, -1]], np.float32)).tolist() == [[1, 1, 0]]


def test_no_witness_makes_an_edit_of_what_did_not_change() -> None:
    unchanged, edit_map = np.zeros((4, 4), np.float32), np.full((4, 4), 0.1, np.float32)
    assert not Calibration(0.1, 0.1, 0.2).witnessed(unchanged, edit_map, np.ones((4, 4), np.float32)).any()


def test_a_level_map_is_no_evidence() -> None:
    """Its means inside and outside differ by rounding alone."""
    calibration = Calibration(map_outside=0.1, map_inside=0.1 + 1e-8, threshold=0.2)
    assert calibration.matte(np.full((2, 2), 0.2, np.float32), np.full((2, 2), 0.1, np.float32)).min() == 1

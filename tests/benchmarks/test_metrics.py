"""The figures, against values worked out by hand, and against faults put in on purpose."""

import importlib.util
import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from metrics import (
    BEST_PSNR,
    Clip,
    Flow,
    Mask,
    anderson_darling,
    drift,
    fetch,
    flicker,
    flip,
    largest_error,
    matte_area_ratio,
    matte_recall,
    measurable,
    motion_error,
    pixel_grid,
    psnr,
    seam_ratio,
    ssim,
)

SIDE = 64
STEP = (3, -2)
"""Pixels right and down, a frame."""


def textured(seed: int = 0, side: int = 2 * SIDE) -> Clip:
    """A picture `[side, side, 3]` of soft spots of a few pixels, over the whole range."""
    spots = gaussian_filter(np.random.default_rng(seed).standard_normal((side, side, 3)), (2, 2, 0))
    return np.asarray((0.5 + 0.2 * spots / spots.std()).clip(0, 1), np.float32)


def moving(frames: int = 4, step: tuple[int, int] = STEP) -> Clip:
    """A texture that is seen to move by `step` a frame, `[F, SIDE, SIDE, 3]`."""
    picture = textured()
    corners = [(32 - frame * step[1], 32 - frame * step[0]) for frame in range(frames)]
    return np.stack([picture[top : top + SIDE, left : left + SIDE] for top, left in corners])


def flow_of(frames: int = 4, step: tuple[int, int] = STEP) -> tuple[Flow, Mask]:
    """True flow and visibility of `moving`."""
    flow = np.broadcast_to(np.array(step, np.float32), (frames - 1, SIDE, SIDE, 2)).copy()
    y, x = np.indices((SIDE, SIDE))
    visible = (x + step[0] >= 0) & (x + step[0] < SIDE) & (y + step[1] >= 0) & (y + step[1] < SIDE)
    return flow, np.broadcast_to(visible, (frames - 1, SIDE, SIDE)).copy()


def noisy(clip: Clip, amount: float) -> Clip:
    noise = np.random.default_rng(5).standard_normal(clip.shape)
    return (clip + amount * noise).clip(0, 1).astype(np.float32)


def left_half(clip: Clip) -> Mask:
    where = np.zeros(clip.shape[:3], bool)
    where[:, :, : clip.shape[2] // 2] = True
    return where


def everywhere(clip: Clip) -> Mask:
    return np.ones(clip.shape[:3], bool)


def test_psnr_is_the_one_worked_out_by_hand_and_looks_only_where_it_is_told_to():
    truth = moving() * 0.5
    clip = truth.copy()
    clip[:, :, : SIDE // 2] += 0.1
    clip[:, :, SIDE // 2 :] += 0.01
    assert psnr(clip, truth, left_half(clip)) == pytest.approx(20, abs=1e-3)
    assert psnr(clip, truth, ~left_half(clip)) == pytest.approx(40, abs=1e-3)
    assert psnr(clip, truth, everywhere(clip)) == pytest.approx(-10 * math.log10((0.01 + 0.0001) / 2), abs=1e-3)
    assert psnr(truth, truth, everywhere(truth)) == BEST_PSNR


def test_a_pixel_counts_as_much_in_one_frame_as_in_another():
    """Pooled over the clip: frames whose region is small do not weigh more."""
    truth = np.zeros((2, 4, 4, 3), np.float32)
    clip = truth + np.array([0.1, 0.2], np.float32)[:, None, None, None]
    where = np.zeros((2, 4, 4), bool)
    where[0, :3, 0], where[1, 0, 0] = True, True
    assert psnr(clip, truth, where) == pytest.approx(-10 * math.log10((3 * 0.01 + 0.04) / 4), abs=1e-4)


@pytest.mark.parametrize("figure", [psnr, ssim, flip, largest_error])
def test_nothing_selected_is_no_figure_and_different_shapes_are_an_error(figure):
    clip = moving(2)
    assert math.isnan(figure(clip, clip, np.zeros(clip.shape[:3], bool)))
    with pytest.raises(ValueError, match="different shape"):
        figure(clip, clip[:1], everywhere(clip))


def test_ssim_is_one_for_equals_and_falls_where_structure_is_lost():
    truth = moving(2)
    flat = truth.copy()
    flat[:, :, : SIDE // 2] = truth.mean()
    assert ssim(truth, truth, everywhere(truth)) == pytest.approx(1)
    assert ssim(flat, truth, left_half(truth)) < 0.2
    far = ~left_half(truth)
    far[:, :, : SIDE // 2 + 6] = False
    assert ssim(flat, truth, far) == pytest.approx(1)
    assert ssim(noisy(truth, 0.02), truth, everywhere(truth)) > ssim(noisy(truth, 0.1), truth, everywhere(truth))


@pytest.mark.skipif(importlib.util.find_spec("flip_evaluator") is None, reason="flip-evaluator is not built for this Python or processor")
def test_flip_is_zero_for_equals_and_grows_with_the_error():
    truth = moving(2)
    assert flip(truth, truth, everywhere(truth)) == 0
    small, large = (flip(noisy(truth, amount), truth, everywhere(truth)) for amount in (0.03, 0.3))
    assert 0 < small < large < 1
    black, white = np.zeros_like(truth), np.ones_like(truth)
    assert flip(black, white, everywhere(truth)) > 0.9
    half = truth.copy()
    half[:, :, : SIDE // 2] = 1 - half[:, :, : SIDE // 2]
    assert flip(half, truth, left_half(truth)) > 3 * flip(half, truth, ~left_half(truth))


def test_largest_error_is_exact():
    truth = np.full((1, 4, 4, 3), 0.25, np.float32)
    clip = truth.copy()
    clip[0, 0, 0, 1] = 0.75
    assert largest_error(clip, truth, everywhere(truth)) == 0.5
    assert largest_error(clip, truth, ~left_half(truth)) == 0


@pytest.mark.parametrize("step", [(0, 0), (1, 0), STEP, (-4, 4)])
def test_the_motion_of_a_moving_texture_is_seen_to_a_tenth_of_a_pixel(step):
    assert motion_error(moving(3, step), *flow_of(3, step)) < 0.1


def test_wrong_motion_is_an_error_as_large_as_it_is():
    flow, visible = flow_of(3)
    length = math.hypot(*STEP)
    held = np.repeat(moving(1), 3, axis=0)
    assert motion_error(held, flow, visible) == pytest.approx(length, abs=0.05)
    backwards = moving(3)[::-1]
    assert motion_error(np.ascontiguousarray(backwards), flow, visible) == pytest.approx(2 * length, abs=0.2)


def test_motion_is_judged_where_it_can_be_measured():
    """Half of the picture is flat: nobody can see it move, so the truth itself would be blamed."""
    truth = moving(3)
    truth[:, :, : SIDE // 2] = 0.5
    flow, visible = flow_of(3)
    seen = measurable(truth, flow, visible)
    assert not (seen & ~visible).any()
    assert seen[:, :, : SIDE // 2 - 8].mean() < 0.05 and seen[:, 8:, SIDE // 2 + 8 : -8].mean() > 0.95
    assert motion_error(truth, flow, visible) > 1
    assert motion_error(truth, flow, visible, seen) < 0.2
    assert motion_error(np.repeat(truth[:1], 3, axis=0), flow, visible, seen) > 3
    assert math.isnan(motion_error(truth, flow, visible, np.zeros_like(visible)))


def test_flicker_follows_the_true_motion():
    clip, (flow, visible) = moving(), flow_of()
    assert flicker(clip, flow, visible) == pytest.approx(0, abs=1e-6)
    assert flicker(clip, np.zeros_like(flow), visible) > 0.1
    pulsing = clip * 0.5 + np.array([0, 0.1, 0, 0.1], np.float32)[:, None, None, None]
    assert flicker(pulsing, flow, visible) == pytest.approx(0.1, abs=1e-5)
    assert math.isnan(flicker(clip[:1], flow[:0], visible[:0]))


def test_fetching_is_bilinear_and_the_border_goes_on():
    picture = np.array([[0.0, 1.0], [2.0, 3.0]], np.float32)[..., None]
    x, y = np.array([[0.5, 0.25, -3.0, 9.0]], np.float32), np.array([[0.5, 0.0, 0.0, 9.0]], np.float32)
    assert fetch(picture, x, y)[0, :, 0] == pytest.approx([1.5, 0.25, 0.0, 3.0])
    columns, rows = pixel_grid(picture)
    assert columns.tolist() == [[0, 1], [0, 1]] and rows.tolist() == [[0, 0], [1, 1]]


def test_a_seam_is_told_from_the_motion_around_it():
    level = np.array([0, 0.01, 0.03, 0.04, 0.10, 0.11], np.float32)
    clip = np.broadcast_to(level[:, None, None, None], (6, 4, 4, 3))
    assert seam_ratio(clip, [4]) == pytest.approx(0.06 / 0.01, rel=1e-4)
    assert seam_ratio(clip, [2, 4]) == pytest.approx((0.02 + 0.06) / 2 / 0.01, rel=1e-4)
    assert seam_ratio(clip, [1]) == pytest.approx(0.01 / 0.015, rel=1e-4)
    assert math.isnan(seam_ratio(clip, []))


CHUNKS = [range(2), range(2, 4), range(4, 6)]


def tinted(clip: Clip, by: float, chunk: range) -> Clip:
    changed = clip.copy()
    changed[chunk.start : chunk.stop, ..., 0] += by
    return changed


def test_drift_is_the_change_of_the_colour_error_and_not_the_error():
    truth = np.full((6, 8, 8, 3), 0.4, np.float32)
    where = everywhere(truth)
    wrong_throughout = truth + np.array([0.1, 0, 0], np.float32)
    assert drift(wrong_throughout, truth, CHUNKS, where) == pytest.approx(0, abs=1e-4)
    small, large = (drift(tinted(truth, amount, CHUNKS[-1]), truth, CHUNKS, where) for amount in (0.02, 0.1))
    assert 0.5 < small < large
    assert drift(tinted(truth, 0.1, CHUNKS[1]), truth, CHUNKS, where) == pytest.approx(0, abs=1e-4)


def test_drift_forgives_what_the_truth_does_too_and_noise_without_a_colour():
    truth = tinted(np.full((6, 32, 32, 3), 0.4, np.float32), 0.2, CHUNKS[-1])
    where = everywhere(truth)
    assert drift(truth, truth, CHUNKS, where) == 0
    assert drift(noisy(truth, 0.02), truth, CHUNKS, where) < 0.3
    assert math.isnan(drift(truth, truth, CHUNKS, where & (np.arange(6) < 4)[:, None, None]))


def test_drift_of_grey_is_the_difference_that_the_formula_gives():
    """L* of sRGB 0.5 and 0.6 are 53.39 and 63.22; for greys ΔE2000 is the difference over S_L at their mean."""
    truth = np.full((2, 4, 4, 3), 0.5, np.float32)
    clip = truth.copy()
    clip[1] = 0.6
    dark, light = 53.389, 63.223
    middle = ((dark + light) / 2 - 50) ** 2
    expected = (light - dark) / (1 + 0.015 * middle / math.sqrt(20 + middle))
    assert drift(clip, truth, [range(1), range(1, 2)], everywhere(truth)) == pytest.approx(expected, abs=0.02)


def test_anderson_darling_tells_noise_from_what_is_not():
    draw = np.random.default_rng(1)
    gaussian, uniform = 3 + 2 * draw.standard_normal((2, 100, 100)), draw.random((2, 100, 100))
    assert anderson_darling(gaussian) < 1.5
    assert anderson_darling(uniform) > 50
    assert anderson_darling(uniform) == anderson_darling(uniform)
    assert anderson_darling(uniform) != anderson_darling(uniform, seed=1)
    assert anderson_darling(10 * gaussian - 4) == pytest.approx(anderson_darling(gaussian))
    assert anderson_darling(uniform[0, :10], samples=1000) == anderson_darling(uniform[0, :10].ravel(), samples=2000)


def test_anderson_darling_of_three_values_by_hand():
    """-1, 0, 1: A² = -n - Σ (2i - 1)/n · [ln Φ(x_i) + ln(1 - Φ(x_{n+1-i}))], at mean 0 and deviation 1 (over n - 1)."""
    below = 0.5 * math.erfc(1 / math.sqrt(2))
    expected = -3 - (1 * 2 * math.log(below) + 3 * 2 * math.log(0.5) + 5 * 2 * math.log(1 - below)) / 3
    assert anderson_darling([0, 1, -1]) == pytest.approx(expected, abs=1e-6)


def test_the_matte_is_judged_by_what_it_misses_and_by_what_it_covers():
    region = np.zeros((1, 4, 4), bool)
    region[0, :2, :2] = True
    matte = np.zeros((1, 4, 4), np.float32)
    matte[0, 0, :2], matte[0, 1, 0], matte[0, 1, 1] = 1, 0.5, 0.4
    matte[0, 3, :] = 1 / 64, 1 / 65, 0.3, 0
    assert matte_recall(matte, region) == 3 / 4
    assert matte_area_ratio(matte, region) == 6 / 4
    assert math.isnan(matte_recall(matte, ~region & region)) and math.isnan(matte_area_ratio(matte, ~region & region))

"""The fit to a model's size: the right size, the aspect kept, nothing shifted."""

from fractions import Fraction

import numpy as np
import pytest

from i2vedit_core.media.fit import plan_fit

SQUARE = Fraction(1)


@pytest.mark.parametrize(
    ("plate", "aspect", "area", "multiple", "picture", "content"),
    [
        ((512, 512), SQUARE, 64 * 64, 16, (64, 64), (64, 64)),
        ((1280, 720), SQUARE, 64 * 64, 16, (80, 48), (80, 45)),
        ((720, 1280), SQUARE, 64 * 64, 16, (48, 80), (45, 80)),
        ((1920, 1080), SQUARE, 768 * 768, 64, (1024, 576), (1024, 576)),
        ((720, 576), Fraction(64, 45), 768 * 768, 64, (1024, 576), (1024, 576)),
        ((32, 16), SQUARE, 64 * 64, 16, (80, 48), (80, 40)),
    ],
)
def test_sizes(
    plate: tuple[int, int], aspect: Fraction, area: int, multiple: int, picture: tuple[int, int], content: tuple[int, int]
) -> None:
    fit = plan_fit(*plate, aspect, area, multiple)
    assert (fit.width, fit.height) == picture
    assert (fit.content_width, fit.content_height) == content


@pytest.mark.parametrize("plate", [(854, 480), (853, 479), (1998, 1080), (4096, 1716), (100, 60), (17, 400)])
def test_the_aspect_is_kept_within_a_pixel(plate: tuple[int, int]) -> None:
    fit = plan_fit(*plate, SQUARE, 64 * 64, 16)
    assert fit.width % 16 == fit.height % 16 == 0
    assert fit.width * fit.height <= 64 * 64
    exact = plate[0] / plate[1]
    assert abs(fit.content_width - fit.content_height * exact) <= max(1.0, exact) * 0.5 + 1e-9 or fit.content_width == 1


@pytest.mark.parametrize("plate", [(1280, 720), (512, 512), (853, 479), (48, 40)])
def test_a_ramp_comes_back_unshifted(plate: tuple[int, int]) -> None:
    width, height = plate
    x = (np.arange(width, dtype=np.float32) + 0.5) / width
    y = (np.arange(height, dtype=np.float32) + 0.5) / height
    ramp = np.stack(np.broadcast_arrays(x[None, :], y[:, None], x[None, :] * 0.5 + y[:, None] * 0.5), axis=2).astype(np.float32)
    fit = plan_fit(width, height, SQUARE, 64 * 64, 16)
    back = fit.to_plate(fit.to_model(ramp))
    assert back.shape == ramp.shape and back.dtype == np.float32
    margin_x, margin_y = 4 * -(-width // fit.content_width), 4 * -(-height // fit.content_height)
    inner = (slice(margin_y, -margin_y), slice(margin_x, -margin_x))
    # A shift by a hundredth of a pixel would show.
    np.testing.assert_allclose(back[inner], ramp[inner], atol=min(2e-4, 0.01 / min(plate)))


def test_the_border_repeats_the_edge() -> None:
    fit = plan_fit(1280, 720, SQUARE, 64 * 64, 16)
    frame = np.zeros((720, 1280, 4), np.float32)
    frame[:360] = 1.0
    small = fit.to_model(frame)
    assert small.shape == (48, 80, 3)
    assert fit.top == 1
    np.testing.assert_array_equal(small[0], small[1])
    np.testing.assert_array_equal(small[-1], small[-3])
    assert small.min() >= 0 and small.max() <= 1


def test_a_soft_step_does_not_ring() -> None:
    fit = plan_fit(512, 512, SQUARE, 64 * 64, 16)
    matte = np.zeros((64, 64, 1), np.float32)
    matte[:, 30:] = 1
    large = fit.to_plate(matte)
    assert large.shape == (512, 512, 1)
    assert large.min() >= 0 and large.max() <= 1 + 1e-6
    assert np.all(np.diff(large[256, :, 0]) >= -1e-6)


def test_an_equal_size_is_left_alone() -> None:
    fit = plan_fit(64, 64, SQUARE, 64 * 64, 16)
    picture = np.random.default_rng(0).random((64, 64, 3), np.float32)
    np.testing.assert_array_equal(fit.to_plate(fit.to_model(picture)), picture)


def test_pixels_that_are_not_numbers_do_not_spread() -> None:
    picture = np.full((48, 64, 3), 0.5, np.float32)
    picture[10, 10] = np.nan
    picture[20, 20, 1] = np.inf
    np.testing.assert_allclose(plan_fit(64, 48, Fraction(1), 32 * 32, 8).to_model(picture), 0.5, atol=1e-6)

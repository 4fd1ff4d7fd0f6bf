"""The working encoding: what goes in comes out, whatever a plate holds."""

import numpy as np
import pytest

from i2vedit_core.media.fit import Fit
from i2vedit_core.media.working import LARGEST, PEAK, Working

LINEAR = Working.of("ACEScg")


@pytest.mark.parametrize(
    "space", ["Gamma 2.4 Encoded Rec.709", "sRGB Encoded P3-D65", "Rec.2100-PQ - Display", "Rec.2100-HLG - Display", "ARRI LogC4", "Raw"]
)
def test_what_is_encoded_already_stays_the_same_array(space: str) -> None:
    picture = np.random.default_rng(0).normal(0.5, 1, (8, 8, 3)).astype(np.float32)
    working = Working.of(space)
    assert working.encode(picture) is picture and working.decode(picture) is picture


@pytest.mark.parametrize("space", ["Linear Rec.709 (sRGB)", "ACES2065-1", "ACEScg", "Linear Rec.2020"])
def test_scene_linear_comes_back(space: str) -> None:
    """Far below 0, far above 1, and next to 0, where halves have most of their codes."""
    sizes = np.geomspace(1e-7, LARGEST, 4000).astype(np.float32)
    light = np.concatenate([-sizes[::-1], [np.float32(0)], sizes]).reshape(1, -1, 1)
    working = Working.of(space)
    encoded = working.encode(light)
    assert encoded.dtype == np.float32 and bool((np.diff(encoded[0, :, 0]) > 0).all())
    np.testing.assert_allclose(working.decode(encoded), light, rtol=3e-6, atol=1e-9)


def test_where_the_light_lies() -> None:
    light = np.array([0, 0.18, 1, 10, PEAK, -0.01], np.float32).reshape(1, -1, 1)
    black, grey, white, bright, peak, below = LINEAR.encode(light)[0, :, 0]
    assert black == 0 and 0.3 < grey < 0.36 and 0.5 < white < 0.56 and 0.75 < bright < 0.85 and abs(peak - 1) < 1e-6 and -0.1 < below < 0


@pytest.mark.parametrize("space", ["ACEScg", "Gamma 2.4 Encoded Rec.709"])
def test_what_is_no_number_becomes_one(space: str) -> None:
    picture = np.array([np.nan, np.inf, -np.inf, 0.5], np.float32).reshape(1, 4, 1)
    working = Working.of(space)
    encoded = working.encode(picture)
    assert np.isfinite(encoded).all() and np.isfinite(working.decode(encoded)).all()
    assert encoded[0, 0, 0] == 0 and encoded[0, 1, 0] >= 1 and encoded[0, 2, 0] <= 0
    np.testing.assert_allclose(working.decode(encoded)[0, 3, 0], 0.5, rtol=1e-6)


def test_every_half_comes_back_as_the_same_half() -> None:
    halves = np.arange(65536, dtype=np.uint16).view(np.float16)
    halves = halves[np.isfinite(halves)]
    back = LINEAR.decode(LINEAR.encode(halves.astype(np.float32).reshape(1, -1, 1))).astype(np.float16)[0, :, 0]
    np.testing.assert_array_equal(back, halves)


def test_the_model_sees_the_working_encoding() -> None:
    fit = Fit(32, 32, 32, 32, 32, 32, LINEAR)
    plate = np.full((32, 32, 3), 10.0, np.float32)
    np.testing.assert_allclose(fit.to_model(plate), LINEAR.encode(plate), atol=1e-6)
    assert fit.to_model(plate).max() < 1
    np.testing.assert_allclose(fit.shrink(np.full((32, 32, 1), 0.25, np.float32)), 0.25, atol=1e-6)

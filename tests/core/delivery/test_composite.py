"""The plate is sacred: outside the matte not a bit changes."""

import numpy as np
import pytest

from i2vedit_core.delivery.composite import composite

SHAPE = (20, 30)


def pictures() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    plate = random.normal(0.5, 1, (*SHAPE, 3)).astype(np.float32)
    new = random.random((*SHAPE, 3), np.float32)
    matte = np.zeros(SHAPE, np.float32)
    matte[5:10, 5:20] = np.linspace(0, 1, 15, dtype=np.float32)
    return plate, new, matte


def test_outside_the_matte_the_plate_is_copied_bit_for_bit() -> None:
    plate, new, matte = pictures()
    new[0, 0] = np.inf
    new[0, 1] = np.nan
    plate[0, 2] = -0.0
    result = composite(plate, new, matte)
    outside = matte == 0
    assert result.dtype == np.float32
    assert result[outside].tobytes() == plate[outside].tobytes()


def test_inside_the_matte() -> None:
    plate, new, matte = pictures()
    result = composite(plate, new, matte)
    weight = matte[:, :, None].astype(np.float64)
    np.testing.assert_allclose(result, plate + weight * (new.astype(np.float64) - plate), atol=1e-6)
    np.testing.assert_array_equal(result[matte == 1], new[matte == 1])


def test_an_empty_matte_gives_the_plate() -> None:
    plate, new, _ = pictures()
    assert composite(plate, new, np.zeros(SHAPE, np.float32)).tobytes() == plate.tobytes()


def test_shapes_must_belong_together() -> None:
    plate, new, matte = pictures()
    for bad in [(plate, new[1:], matte), (plate, new, matte.T), (plate[:, :, :2], new[:, :, :2], matte)]:
        with pytest.raises(ValueError, match="belong together"):
            composite(*bad)

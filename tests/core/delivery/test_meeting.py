"""Two sides of a segment become one patch: each alone at its own end, and where only one is sure, that one."""

from pathlib import Path

import numpy as np
import pytest

from i2vedit_core.delivery.meeting import Waiting, met
from i2vedit_core.delivery.patch import Patch

HEIGHT, WIDTH = 24, 40


def _plate() -> np.ndarray:
    return np.random.default_rng(1).random((HEIGHT, WIDTH, 3)).astype(np.float32)


def _patch(value: float, sure: float = 1.0, columns: slice = slice(10, 30)) -> Patch:
    new, matte = _plate(), np.zeros((HEIGHT, WIDTH), np.float32)
    new[5:15, columns], matte[5:15, columns] = value, 1
    return Patch(new, matte, 1.0, 0.01, np.full((HEIGHT, WIDTH), sure, np.float32))


@pytest.mark.parametrize(("way", "value"), [(0.0, 0.2), (0.5, 0.5), (1.0, 0.8)])
def test_each_end_is_its_own_side_alone(way: float, value: float) -> None:
    found = met(_patch(0.2), _patch(0.8), way, _plate())
    np.testing.assert_allclose(found.new[5:15, 10:30], value, atol=1e-6)
    assert (found.matte[5:15, 10:30] == 1).all() and found.matte.sum() == 200
    assert np.array_equal(found.new[found.matte == 0], _plate()[found.matte == 0])


def test_the_surer_side_counts_more() -> None:
    assert met(_patch(0.2, sure=1.0), _patch(0.8, sure=0.0), 0.5, _plate()).new[10, 20, 0] < 0.35


def test_where_one_side_says_that_the_plate_stands_it_is_blended_in() -> None:
    plate = _plate()
    found = met(_patch(0.2, columns=slice(10, 20)), _patch(0.8, columns=slice(20, 30)), 0.5, plate)
    np.testing.assert_allclose(found.matte[5:15, 10:30], 0.5, atol=1e-6)
    over = plate + found.matte[..., None] * (found.new - plate)
    np.testing.assert_allclose(over[5:15, 12], (0.2 + plate[5:15, 12]) / 2, atol=1e-6)


def test_what_waits_comes_back_as_it_was(tmp_path: Path) -> None:
    waiting, patch = Waiting(tmp_path / "waiting"), _patch(0.3, sure=0.5)
    waiting.keep(7, _plate(), patch)
    found = waiting.take(7, _plate())
    assert np.abs(found.new - patch.new).max() < 2**-11 and np.array_equal(found.matte, patch.matte)
    assert (found.delta, found.flicker) == (patch.delta, patch.flicker) and np.array_equal(found.sure, patch.sure)
    assert not list((tmp_path / "waiting").iterdir())


def test_a_patch_of_nothing_waits_too(tmp_path: Path) -> None:
    waiting, plate = Waiting(tmp_path), _plate()
    empty = Patch(plate, np.zeros((HEIGHT, WIDTH), np.float32), 1.0, 0.0, np.ones((HEIGHT, WIDTH), np.float32))
    waiting.keep(0, plate, empty)
    found = waiting.take(0, plate)
    assert not found.matte.any() and np.array_equal(found.new, plate)

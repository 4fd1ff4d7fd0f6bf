"""Held against scikit-image, and against pairs that its authors published."""

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from i2vedit_core.media.lab import delta_e_2000, lab

PUBLISHED = (
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0),
    ((50, 2.5, 0), (50, 0, -2.5), 4.3065),
    ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
    ((50, 0, 0), (50, -1, 2), 2.3669),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((22.7233, 20.0904, -46.694), (23.0331, 14.973, -42.5619), 2.0373),
    ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
)
"""Of Sharma, Wu and Dalal's table 1."""


@pytest.mark.parametrize(("first", "second", "expected"), PUBLISHED)
def test_it_gives_what_was_published(first: tuple[float, ...], second: tuple[float, ...], expected: float) -> None:
    assert float(delta_e_2000(first, second)) == pytest.approx(expected, abs=1e-4)


def test_it_gives_what_others_give() -> None:
    colours = np.random.default_rng(0).random((2, 4000, 3))
    assert np.abs(lab(colours) - rgb2lab(colours)).max() < 0.02
    found, expected = delta_e_2000(*rgb2lab(colours)), deltaE_ciede2000(*rgb2lab(colours))
    assert np.abs(found - expected).max() < 1e-6


def test_equal_colours_are_not_apart() -> None:
    grays = lab(np.repeat(np.linspace(0, 1, 5)[:, None], 3, axis=1))
    assert np.array_equal(delta_e_2000(grays, grays), np.zeros(5))

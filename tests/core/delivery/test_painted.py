"""How exactly a painted frame can say what was painted, and in which numbers that is measured."""

import numpy as np

from i2vedit_core.delivery.painted import Painted
from i2vedit_core.media.edited import EIGHT_BIT, SIXTEEN_BIT
from i2vedit_core.media.working import Working


def test_the_rounding_of_eight_bits_is_not_paint() -> None:
    plate = np.random.default_rng(0).random((16, 16, 3), dtype=np.float32)
    rounded = (np.rint(plate * 255) / 255).astype(np.float32)
    assert not Painted(plate, rounded, EIGHT_BIT).changed
    assert Painted(plate, rounded, SIXTEEN_BIT).changed
    assert not Painted(plate, plate).changed


def test_one_pixel_of_sixteen_bits_is_paint() -> None:
    plate = np.full((16, 16, 3), 0.5, np.float32)
    painted = plate.copy()
    painted[3, 4] += np.float32(3 / 65535)
    assert Painted(plate, painted).changed and not Painted(plate, painted, EIGHT_BIT).changed


def test_light_is_compared_as_it_is_seen() -> None:
    """A step of 0.01 is a lot in the shadows, and nothing in a highlight."""
    working = Working.of("ACEScg")
    shadow, highlight = np.full((4, 4, 3), 0.02, np.float32), np.full((4, 4, 3), 40, np.float32)
    differences = [Painted(plate, plate + np.float32(0.01), working=working).difference.max() for plate in (shadow, highlight)]
    assert differences[0] > 100 * differences[1]
    broken = highlight.copy()
    broken[0, 0] = np.nan
    assert not Painted(broken, broken, working=working).changed

"""How exactly a painted frame can say what was painted."""

import numpy as np

from i2vedit_core.delivery.painted import EIGHT_BIT, SIXTEEN_BIT, Painted


def test_eight_bits_are_known_by_their_grid_also_where_the_plates_overshoot_stands() -> None:
    plate = np.random.default_rng(0).random((16, 16, 3), dtype=np.float32)
    plate[0], plate[1] = -0.02, 1.03
    rounded = np.where((plate < 0) | (plate > 1), plate, np.rint(plate * 255) / 255).astype(np.float32)
    assert Painted(plate, rounded).precision == EIGHT_BIT
    assert not Painted(plate, rounded).changed
    assert Painted(plate, plate).precision == SIXTEEN_BIT

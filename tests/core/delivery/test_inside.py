"""Which regions keep the plate's detail, and what the painted frame teaches about colours."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from i2vedit_core.delivery.carry import nearest_regions, outline_depth
from i2vedit_core.delivery.inside import Filling, Part, delta_share
from i2vedit_core.delivery.matting import PaintedPictures
from i2vedit_core.delivery.palette import Belonging, Palette
from i2vedit_core.matte import PAINTED
from i2vedit_core.media.pixels import largest_difference
from i2vedit_core.settings import EditKind, Inside

SIDE = 96
RECOLOURED, REPAINTED = np.s_[10:40, 10:40], np.s_[55:85, 50:85]


def _two_regions() -> PaintedPictures:
    """Fine structure all over; one region got another colour, in the other one something flat was painted over it."""
    draw = np.random.default_rng(0)
    plate = (0.4 + 0.1 * gaussian_filter(draw.standard_normal((SIDE, SIDE, 3)), (0.7, 0.7, 0))).astype(np.float32)
    picture = plate.copy()
    picture[RECOLOURED] += np.asarray((0.2, -0.1, 0.1), np.float32)
    picture[REPAINTED] = (0.8, 0.7, 0.2)
    return PaintedPictures(plate, picture, largest_difference(plate, picture))


def _share(inside: Inside, kind: EditKind = EditKind.LOCAL) -> np.ndarray:
    painted = _two_regions()
    where = painted.difference > PAINTED
    palette = Palette(painted.plate, painted.picture - painted.plate, where)
    return delta_share(painted, nearest_regions(outline_depth(where, 0)), 3.0, palette, Filling(kind, inside))


def test_auto_decides_region_by_region() -> None:
    share = _share(Inside.AUTO)
    assert share[RECOLOURED].min() == 1 and share[REPAINTED].max() == 0
    assert share[0, 0] == 1 and share[-1, -1] == 0, "elsewhere the nearest region decides"


@pytest.mark.parametrize(("inside", "wanted"), [(Inside.DELTA, 1), (Inside.REPLACE, 0)])
def test_what_was_asked_for_is_done(inside: Inside, wanted: float) -> None:
    assert (_share(inside) == wanted).all()
    assert (_share(inside, EditKind.SHAPE) == wanted).all()


def test_a_changed_outline_is_replaced() -> None:
    assert not _share(Inside.AUTO, EditKind.SHAPE).any()


def test_a_part_is_what_is_not_zero() -> None:
    matte = np.zeros((8, 10), np.float32)
    assert Part.around(matte).of(matte).size == 0
    matte[2:5, 3:9] = 0.1
    assert Part.around(matte) == Part(slice(2, 5), slice(3, 9))


def test_a_palette_knows_what_became_of_a_colour_and_says_where_it_does_not() -> None:
    plate, where = np.full((SIDE, SIDE, 3), (0.3, 0.4, 0.5), np.float32), np.zeros((SIDE, SIDE), np.bool_)
    where[RECOLOURED] = True
    plate[RECOLOURED] = (0.6, 0.4, 0.2)
    wanted = np.asarray((0.2, -0.1, 0.1), np.float32)
    palette = Palette(plate, where[..., None] * wanted, where)
    change, sure = palette.change(plate)
    np.testing.assert_allclose(change[RECOLOURED].mean(axis=(0, 1)), wanted, atol=5e-3)
    assert np.abs(change[~where]).max() < 5e-3, "what was left alone there is left alone"
    assert sure.min() > 0.8
    _, unseen = palette.change(np.full((4, 4, 3), (0.9, 0.1, 0.9), np.float32))
    assert unseen.max() < 0.05


def test_a_colour_that_was_changed_here_and_not_there_is_not_trusted() -> None:
    painted = _two_regions()
    where = np.zeros((SIDE, SIDE), np.bool_)
    where[RECOLOURED] = True
    _, sure = Palette(painted.plate, painted.picture - painted.plate, where).change(painted.plate)
    assert sure.max() < 0.5


def test_a_change_that_colour_does_not_explain_is_not_trusted() -> None:
    """The same grey, made white here and black there."""
    plate = np.full((20, 20, 3), 0.5, np.float32)
    change = np.where(np.arange(20)[:, None, None] < 10, 0.4, -0.4) * np.ones((20, 20, 3))
    _, sure = Palette(plate, change.astype(np.float32), np.ones((20, 20), np.bool_)).change(plate)
    assert sure.max() < 0.1


def test_colours_bear_witness() -> None:
    plate = np.full((20, 20, 3), (0.8, 0.1, 0.1), np.float32)
    plate[:, 10:] = (0.1, 0.2, 0.8)
    belonging = Belonging(plate, np.arange(20)[None, :].repeat(20, axis=0) < 10)
    witness = belonging.witness(np.asarray([[(0.8, 0.1, 0.1), (0.1, 0.2, 0.8), (0.2, 0.9, 0.3)]], np.float32))[0]
    assert witness[0] > 0.9 and witness[1] < -0.9 and witness[2] == 0

"""Pixels that are not numbers: mended from their neighbours, counted, and left alone elsewhere."""

import numpy as np

from i2vedit_core.media.repair import broken_pixels, repaired


def test_each_channel_takes_its_nearest_number() -> None:
    picture = np.arange(4 * 5 * 3, dtype=np.float32).reshape(4, 5, 3)
    picture[2, 3, 1] = np.nan
    picture[0, 0] = np.inf
    mended, count = repaired(picture)
    assert count == 2 == broken_pixels(picture).sum()
    assert np.isfinite(mended).all()
    assert mended[2, 3, 1] in (picture[1, 3, 1], picture[3, 3, 1], picture[2, 2, 1], picture[2, 4, 1])
    assert mended[2, 3, 0] == picture[2, 3, 0]
    sound = ~broken_pixels(picture)
    np.testing.assert_array_equal(mended[sound], picture[sound])


def test_outside_of_where_every_bit_stays() -> None:
    picture = np.ones((3, 4, 3), np.float32)
    bits = picture.view(np.uint32)
    bits[0, 0] = 0x7FC12345  # NaN with something to say
    bits[2, 3] = 0xFF800000
    inside = np.zeros((3, 4), bool)
    inside[2, 3] = True
    mended, count = repaired(picture, inside)
    assert count == 1 and (mended[2, 3] == 1).all()
    np.testing.assert_array_equal(mended.view(np.uint32)[:2], bits[:2])


def test_a_whole_picture_is_given_back_as_it_is() -> None:
    picture = np.zeros((2, 2, 3), np.float32)
    mended, count = repaired(picture)
    assert mended is picture and count == 0


def test_a_channel_without_any_number_becomes_black() -> None:
    mended, count = repaired(np.full((2, 2, 1), np.nan, np.float32))
    assert count == 4 and (mended == 0).all()

"""The witness on plates whose motion is known."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from i2vedit_core.delivery.carry import Carry
from i2vedit_core.delivery.inside import Filling
from i2vedit_core.delivery.matting import ChunkPictures, PaintedPictures
from i2vedit_core.delivery.patch import Patcher
from i2vedit_core.media.fit import same_size
from i2vedit_core.settings import EditKind

SIDE = 64
STEP = 2
"""Pixels that the body moves to the right in a frame."""


def _texture(seed: int, height: int, width: int) -> np.ndarray:
    spots = gaussian_filter(np.random.default_rng(seed).standard_normal((height, width, 3)), (2, 2, 0))
    return np.asarray((0.5 + 0.2 * spots / spots.std()).clip(0, 1), np.float32)


def _inside(frame: int, grown: int = 0) -> np.ndarray:
    """Where the body is: 24 pixels wide, larger by `grown` on every side."""
    inside = np.zeros((SIDE, SIDE), np.bool_)
    inside[20 - grown : 44 + grown, 10 + STEP * frame - grown : 34 + STEP * frame + grown] = True
    return inside


def _plates(frames: int) -> np.ndarray:
    """A textured body over textured ground that stands still."""
    ground, body = _texture(0, SIDE, SIDE), _texture(1, 24, 24)
    plates = np.repeat(ground[None], frames, axis=0)
    for frame, plate in enumerate(plates):
        plate[_inside(frame)] = body.reshape(-1, 3)
    return plates


def _witness(plates: np.ndarray, painted: np.ndarray, kind: EditKind) -> np.ndarray:
    """Of the last frame."""
    carry = Carry(plates[0], painted.astype(np.float32), kind)
    return [carry.follow(plate) for plate in plates[1:]][-1].witness


@pytest.mark.parametrize("kind", [EditKind.LOCAL, EditKind.SHAPE])
def test_the_painted_region_goes_where_its_body_goes(kind: EditKind) -> None:
    witness = _witness(_plates(7), _inside(0), kind)
    assert witness.shape == (SIDE, SIDE) and witness.dtype == np.float32
    assert np.abs(witness).max() <= 1
    assert witness[_inside(6, grown=-5)].min() > 0.3
    assert (witness[_inside(6)] > 0).mean() > 0.9  # flow errs where the body hides more ground
    assert witness[~_inside(6, grown=10) & ~_inside(0, grown=10)].max() < -0.6


def test_a_new_outline_rides_with_its_body_over_other_ground() -> None:
    """A rim of three pixels is painted on the ground about the body; only an edit of the shape expects it to go along."""
    plates, rim = _plates(7), _inside(0, grown=3) & ~_inside(0)
    ahead = np.s_[24:40, 34 + STEP * 6 : 36 + STEP * 6]
    assert _witness(plates, rim, EditKind.SHAPE)[ahead].mean() > max(0, _witness(plates, rim, EditKind.LOCAL)[ahead].mean())


def test_what_comes_from_behind_is_less_sure_than_what_was_always_seen() -> None:
    witness = np.abs(_witness(_plates(9), _inside(0), EditKind.LOCAL))
    assert witness[24:40, 14:22].mean() < 0.7 * witness[24:40, 56:62].mean()


def test_a_picture_painted_all_over_stays_so_and_nothing_painted_says_nothing() -> None:
    plates = _plates(4)
    assert _witness(plates, np.ones((SIDE, SIDE)), EditKind.STYLE).min() > 0.8
    assert not _witness(plates, np.zeros((SIDE, SIDE)), EditKind.SHAPE).any()


def test_a_larger_picture_gets_the_same_answer() -> None:
    plates = _plates(3)
    large, painted = plates.repeat(3, axis=1).repeat(3, axis=2), _inside(0).repeat(3, axis=0).repeat(3, axis=1)
    small = _witness(plates, _inside(0), EditKind.LOCAL)
    assert np.abs(_witness(large, painted, EditKind.LOCAL)[1::3, 1::3] - small).mean() < 0.1


def test_a_model_whose_edit_fades_and_strays_still_gets_a_whole_matte() -> None:
    """Two fifths of the edit left at the end, and a stray change outside as strong as that: change alone cannot tell them apart."""
    plates, frames = _plates(7), 7
    edited = plates.copy()
    for frame in range(frames):
        edited[frame][_inside(frame)] += 0.3 - 0.03 * frame
    edited[1:, 54:, :12] += 0.12
    chunk = ChunkPictures(edited, plates, np.full(plates.shape[:3], 0.1, np.float32))
    painted = PaintedPictures(plates[0], edited[0], 0.3 * _inside(0).astype(np.float32))
    patcher = Patcher(painted, same_size(SIDE, SIDE), Filling(EditKind.LOCAL), chunk.frame(0))
    for frame in range(1, frames):
        matte = patcher.follow(frame, plates[frame], chunk.frame(frame)).matte
    assert (matte[_inside(6)] >= 0.5).mean() > 0.95
    assert not matte[54:, :12].any()
    assert (matte >= 1 / 64).sum() < 1.2 * _inside(6).sum()

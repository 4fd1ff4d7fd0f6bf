"""Frames that the model has not seen, on plates whose motion and whose true change are known."""

from itertools import islice

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from i2vedit_core.delivery.between import Between
from i2vedit_core.delivery.matting import ChunkPictures, FramePictures

SIDE = 64
STEP = 2
"""Pixels that the body moves to the right in a frame."""


def _texture(seed: int, height: int, width: int) -> np.ndarray:
    spots = gaussian_filter(np.random.default_rng(seed).standard_normal((height, width, 3)), (2, 2, 0))
    return np.asarray((0.5 + 0.2 * spots / spots.std()).clip(0, 1), np.float32)


def _inside(frame: int, grown: int = 0) -> np.ndarray:
    inside = np.zeros((SIDE, SIDE), np.bool_)
    inside[20 - grown : 44 + grown, 6 + STEP * frame - grown : 30 + STEP * frame + grown] = True
    return inside


def _shot(frames: int) -> ChunkPictures:
    """A textured body over ground that stands still, and its body in other colours; the edit map is the body."""
    ground, body = _texture(0, SIDE, SIDE), _texture(1, 24, 24)
    tint = 0.4 * (_texture(2, 24, 24) - 0.5) + np.array([0.2, 0, -0.2], np.float32)
    plates = np.repeat(ground[None], frames, axis=0)
    edited = plates.copy()
    for frame in range(frames):
        plates[frame][_inside(frame)] = body.reshape(-1, 3)
        edited[frame][_inside(frame)] = (body + tint).reshape(-1, 3)
    return ChunkPictures(edited, plates, np.stack([_inside(frame) for frame in range(frames)]).astype(np.float32))


def _filled(shot: ChunkPictures, stride: int) -> list[FramePictures]:
    """All frames after the first, of a model that sees every `stride`-th and makes no mistake there."""
    between = Between(stride, shot.frame(0), shot.source[0])
    return list(between.frames(shot.part(slice(stride, None, stride)), shot.source[1:]))


def _error(filled: list[FramePictures], shot: ChunkPictures, frame: int, where: np.ndarray) -> float:
    return float(np.abs(filled[frame - 1].edited - shot.edited[frame])[where].mean())


@pytest.mark.parametrize("stride", [2, 4])
def test_the_change_goes_where_its_body_goes(stride: int) -> None:
    shot = _shot(9)
    filled = _filled(shot, stride)
    for frame in range(1, 9):
        assert np.array_equal(filled[frame - 1].source, shot.source[frame])
        assert _error(filled, shot, frame, _inside(frame, grown=-3)) < 0.003
        assert _error(filled, shot, frame, ~_inside(frame, grown=4)) < 0.001
        assert filled[frame - 1].edit_map[_inside(frame, grown=-3)].min() > 0.9
        assert filled[frame - 1].edit_map[~_inside(frame, grown=8)].max() < 0.1


def test_frames_that_the_model_has_seen_are_its_own() -> None:
    shot = _shot(9)
    filled = _filled(shot, 4)
    for frame in (4, 8):
        assert np.array_equal(filled[frame - 1].edited, shot.edited[frame])
        assert np.array_equal(filled[frame - 1].edit_map, shot.edit_map[frame])


def test_what_one_side_does_not_show_comes_from_the_other() -> None:
    """The ground is changed, and the body has hidden the part of it behind which it leaves: only the later frame shows that."""
    shot = _shot(5)
    edited = shot.source.copy()
    for frame in range(5):
        edited[frame][~_inside(frame)] += np.array([0.2, -0.1, 0.1], np.float32)
    shot = ChunkPictures(edited, shot.source, 1 - shot.edit_map)
    both, before_alone = _filled(shot, 4), _filled(shot.part(slice(4)), 4)
    for frame in (2, 3):
        uncovered = _inside(0, grown=-2) & ~_inside(frame, grown=1)
        assert _error(both, shot, frame, uncovered) < min(0.07, _error(before_alone, shot, frame, uncovered))


def test_what_is_seen_in_place_of_a_body_moves_as_the_edited_pictures_do() -> None:
    """The body is taken away, and the ground behind it stands still while the plate's pixels there move."""
    shot = _shot(5)
    shot = ChunkPictures(np.repeat(_texture(0, SIDE, SIDE)[None], 5, axis=0), shot.source, shot.edit_map)
    both, before_alone = _filled(shot, 4), _filled(shot.part(slice(4)), 4)
    for frame in (1, 2, 3):
        error = _error(both, shot, frame, _inside(frame, grown=-3))
        assert error < min(0.03, _error(before_alone, shot, frame, _inside(frame, grown=-3)))


def test_frames_behind_the_last_that_the_model_has_seen_are_carried_from_it() -> None:
    shot = _shot(7)
    filled = _filled(shot, 4)
    assert len(filled) == 6
    for frame in (5, 6):
        assert _error(filled, shot, frame, _inside(frame, grown=-3)) < 0.003


def test_chunks_one_after_the_other_give_what_one_gives() -> None:
    """Whoever takes their frames takes as many as there are, and does not ask whether there is one more."""
    shot = _shot(9)
    between = Between(2, shot.frame(0), shot.source[0])
    parts = [between.frames(shot.part(slice(2 + 4 * half, 5 + 4 * half, 2)), shot.source[1 + 4 * half : 5 + 4 * half]) for half in (0, 1)]
    in_parts = [frame for part in parts for frame in islice(part, 4)]
    for one, other in zip(in_parts, _filled(shot, 2), strict=True):
        assert np.array_equal(one.edited, other.edited) and np.array_equal(one.edit_map, other.edit_map)


def test_a_stride_of_one_leaves_the_answers_as_they_are() -> None:
    shot = _shot(4)
    for frame, filled in enumerate(_filled(shot, 1), start=1):
        assert np.array_equal(filled.edited, shot.edited[frame])

"""Matte and new pixels together, at four times the model's size, where the truth is drawn."""

import math
import tracemalloc

import numpy as np
import pytest
from tests.core.delivery.pictures import drawn, painted_of, patches, weak_answer

from i2vedit_core.delivery.composite import composite
from i2vedit_core.delivery.inside import Filling
from i2vedit_core.delivery.matting import ChunkPictures, PaintedPictures
from i2vedit_core.delivery.patch import Patcher
from i2vedit_core.matte import NOTHING
from i2vedit_core.media.fit import Fit
from i2vedit_core.settings import EditKind, Inside

FRAMES = 6


def _psnr(clip: np.ndarray, truth: np.ndarray, where: np.ndarray) -> float:
    return -10 * math.log10(float(np.square(clip - truth)[where].mean()))


@pytest.mark.parametrize(("edit", "kind"), [("recolor", EditKind.LOCAL), ("look", EditKind.STYLE)])
def test_painted_detail_beats_the_models_frames_enlarged(edit: str, kind: EditKind) -> None:
    truth, fit = drawn(edit, 2, FRAMES)
    model = weak_answer(truth, fit)
    found = patches(truth, fit, Filling(kind), model)
    delivered = np.stack([composite(plate, patch.new, patch.matte) for plate, patch in zip(truth.source[1:], found, strict=True)])
    enlarged = np.stack([fit.to_plate(frame) for frame in model.edited[1:]])
    edited, region = truth.edited[1:], truth.region[1:]
    assert _psnr(delivered, edited, region) > _psnr(enlarged, edited, region) + 3
    assert all(patch.delta == 1 for patch in found)


@pytest.mark.parametrize(("edit", "kind"), [("recolor", EditKind.LOCAL), ("retexture", EditKind.LOCAL), ("background", EditKind.STYLE)])
def test_an_edit_that_persists_is_there_in_the_last_frame(edit: str, kind: EditKind) -> None:
    truth, fit = drawn(edit, 3, FRAMES)
    last = patches(truth, fit, Filling(kind), weak_answer(truth, fit))[-1]
    delivered, region = composite(truth.source[-1], last.new, last.matte), truth.region[-1]
    change, true_change = (np.abs(clip - truth.source[-1])[region].mean() for clip in (delivered, truth.edited[-1]))
    assert change >= 0.5 * true_change


def test_a_board_on_a_still_lawn_stays_though_the_model_forgets_it() -> None:
    lawn = np.random.default_rng(0).uniform(0.1, 0.6, (128, 128, 3)).astype(np.float32)
    painted, board = lawn.copy(), np.s_[40:90, 30:100]
    painted[board] = (0.8, 0.2, 0.1)
    small = Fit(128, 128, 32, 32, 32, 32)
    source, edited = (np.stack([small.to_model(each)] * 4) for each in (lawn, painted))
    edited[1:] = source[1:] + np.float32(0.3) * (edited[1:] - source[1:])
    model = ChunkPictures(edited, source, np.full(source.shape[:3], 0.1, np.float32))
    pictures = PaintedPictures(lawn, painted, np.abs(painted - lawn).max(axis=-1))
    patcher = Patcher(pictures, small, Filling(EditKind.LOCAL, Inside.REPLACE), model.frame(0))
    patch = [patcher.follow(frame, lawn, model.frame(frame)) for frame in range(1, 4)][-1]
    delivered = composite(lawn, patch.new, patch.matte)
    assert np.abs(delivered - painted)[48:82, 38:92].max() < 0.01


def test_the_matte_holds_what_changed_and_little_else() -> None:
    truth, fit = drawn("recolor", 2, FRAMES)
    found = patches(truth, fit, Filling(EditKind.LOCAL), weak_answer(truth, fit))
    mattes, region = np.stack([patch.matte for patch in found]), truth.region[1:]
    assert (mattes[region] >= 0.5).mean() > 0.97
    assert (mattes > 0).sum() < 1.5 * region.sum()
    assert ((mattes == 0) | (mattes >= NOTHING)).all() and mattes.max() <= 1
    assert not found[0].flicker and 0 < found[-1].flicker < 0.1
    for patch, plate in zip(found, truth.source[1:], strict=True):
        assert composite(plate, patch.new, patch.matte)[patch.matte == 0].tobytes() == plate[patch.matte == 0].tobytes()


def test_a_model_that_flickers_makes_a_matte_that_does_not() -> None:
    """Every second frame the model forgets half of its edit."""
    truth, fit = drawn("recolor", 2, FRAMES)
    steady = weak_answer(truth, fit)
    edited = steady.edited.copy()
    edited[1::2] = steady.source[1::2] + 0.3 * (edited[1::2] - steady.source[1::2])
    flickering = patches(truth, fit, Filling(EditKind.LOCAL), ChunkPictures(edited, steady.source, steady.edit_map))
    calm = patches(truth, fit, Filling(EditKind.LOCAL), steady)
    assert np.mean([patch.flicker for patch in flickering]) < 1.5 * np.mean([patch.flicker for patch in calm]) + 0.01


def test_a_change_goes_nowhere_beyond_the_pictures() -> None:
    """A display, and a host's 16 bits, show 0 to 1: what lies beyond is clipped there, and differs from what was delivered."""
    truth, fit = drawn("recolor", 2, 3)
    painted, model = painted_of(truth), weak_answer(truth, fit)
    bright = PaintedPictures(painted.plate, np.where(truth.region[0][..., None], 1.0, painted.plate).astype(np.float32), painted.difference)
    plate = np.where(truth.region[1][..., None], np.float32(0.95), truth.source[1])
    patcher = Patcher(bright, fit, Filling(EditKind.LOCAL, Inside.DELTA), model.frame(0))
    new = patcher.follow(1, plate, model.frame(1), np.ones(plate.shape[:2], np.float32)).new
    assert new.min() >= 0 and new.max() == 1


def test_a_matte_that_is_given_stands() -> None:
    truth, fit = drawn("recolor", 2, 3)
    model, given = weak_answer(truth, fit), np.zeros(truth.region.shape[1:], np.float32)
    given[40:60, 50:90] = 0.75
    patch = Patcher(painted_of(truth), fit, Filling(EditKind.LOCAL), model.frame(0)).follow(1, truth.source[1], model.frame(1), given)
    assert patch.matte is given
    assert np.array_equal(patch.new[given == 0], truth.source[1][given == 0])
    assert not np.array_equal(patch.new[given > 0], truth.source[1][given > 0])


@pytest.mark.slow
def test_a_frame_of_4k_takes_little_memory() -> None:
    """A look, so that the whole picture is inside: plates are 100 MB each."""
    height, width = 2160, 3840
    row = np.linspace(0.1, 0.9, width, dtype=np.float32)
    plate = np.broadcast_to(row[None, :, None], (height, width, 3)).copy()
    small = Fit(width, height, 112, 64, 112, 63)
    edited, source = (np.stack([small.to_model(each)] * 2) for each in (plate * 0.8, plate))
    model = ChunkPictures(edited, source, np.full((2, 64, 112), 0.1, np.float32))
    painted = PaintedPictures(plate, plate * np.float32(0.8), plate[..., 0] * np.float32(0.2))
    tracemalloc.start()
    patcher = Patcher(painted, small, Filling(EditKind.STYLE, Inside.AUTO, grain=1.0), model.frame(0))
    patch = patcher.follow(1, plate, model.frame(1))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert np.abs(patch.new - 0.8 * plate).mean() < 0.02 and patch.matte.mean() > 0.9
    assert peak < 1.6e9

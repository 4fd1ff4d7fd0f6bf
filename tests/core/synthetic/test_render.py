"""What the camera does to a scene: any size, any length, an open shutter, even light or not."""

from dataclasses import replace

import numpy as np
import pytest
from tests.core.synthetic.scenes import BLACK, STILL, WHITE, bare, disc, scene_of

from i2vedit_core.synthetic import Split, random_scene, render
from i2vedit_core.synthetic.scene import Camera, Path, Scene, Shadow


@pytest.mark.parametrize(
    ("width", "height", "frames"), [(80, 48, range(2)), (33, 21, range(1)), (16, 40, range(25, 28)), (8, 8, range(40))]
)
def test_any_size_and_length(width: int, height: int, frames: range) -> None:
    clip = render(random_scene(Split.EVALUATION, 1), width, height, frames)
    assert clip.shape == (len(frames), height, width, 3) and clip.dtype == np.float32
    assert np.isfinite(clip).all() and clip.min() >= 0 and clip.max() <= 1 and clip.std() > 0.01


@pytest.mark.parametrize("split", list(Split))
def test_a_scene_is_the_same_at_any_size(split: Split) -> None:
    """Four pixels of the large picture are one of the small one."""
    for index in range(4):
        scene = replace(random_scene(split, index), grain=0.0)
        small, large = render(scene, 48, 32, range(3, 5)), render(scene, 96, 64, range(3, 5))
        assert np.abs(large.reshape(2, 32, 2, 48, 2, 3).mean((2, 4)) - small).mean() < 0.01


def _blurred(along: np.ndarray) -> float:
    """How many pixels of a line are neither black nor white."""
    return float(((along > 0.02) & (along < 0.98)).sum())


@pytest.mark.parametrize("camera_moves", [False, True])
def test_what_is_fast_is_smeared_along_its_way(camera_moves: bool) -> None:
    """A white disc on black at 0.2 heights a frame, at half a frame of shutter: 6.4 pixels of 64 at either rim, but for its ends."""
    ball, speed = disc(0.0, 0.0, 0.25, texture=WHITE), 0.2
    still = scene_of(ball, background=BLACK)
    moving = scene_of(disc(0.0, 0.0, 0.25, right=speed, texture=WHITE), background=BLACK)
    if camera_moves:
        moving = replace(still, camera=Camera(Path((0.0, 0.0), (-speed * 14, 0.0))))
    sharp, smeared = (render(scene, 64, 64, range(1))[0, :, :, 0] for scene in (still, moving))
    assert _blurred(sharp[32]) <= 4 and 8 <= _blurred(smeared[32]) <= 14
    assert _blurred(smeared[:, 32]) <= 4
    assert abs(smeared.sum() / sharp.sum() - 1) < 0.02  # and lies where it is at the frame's middle
    columns = np.arange(64)
    assert abs((smeared * columns).sum() / smeared.sum() - 31.5) < 0.2


def test_light_and_grain_change_from_frame_to_frame_and_grain_is_the_scenes_own() -> None:
    still = scene_of(disc(0.0, 0.0, 0.25))
    assert np.array_equal(*render(still, 48, 32, range(2)))
    lit = render(replace(still, light=(0.1, 0.5)), 48, 32, range(0, 8, 7))
    assert np.abs(lit[1] - np.clip(lit[0] * 1.1, 0, 1)).max() < 1e-5
    grainy = replace(still, grain=0.01)
    first, second = render(grainy, 48, 32, range(2)) - render(still, 48, 32, range(2))
    assert 0.008 < first.std() < 0.012 and np.abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.1
    painted = replace(grainy, bodies=(disc(0.0, 0.0, 0.1),))
    same = (render(painted, 48, 32, range(1)) - render(replace(painted, grain=0.0), 48, 32, range(1)))[0] - first
    assert np.median(np.abs(same)) < 1e-6


def test_a_shadow_falls_beside_its_body_on_all_that_is_behind_and_on_nothing_before() -> None:
    before, behind = disc(0.0, 0.0, 0.2, texture=WHITE), disc(0.3, 0.0, 0.15, texture=WHITE)
    shadow = Shadow((0.25, 0.0), 0.05, 0.5)
    shaded, even = (render(scene_of(behind, before, background=WHITE, shadow=each), 48, 32, range(1))[0] for each in (shadow, Shadow()))
    assert np.abs(even - 1).max() < 1e-6
    assert shaded[16, 24].min() > 0.99  # the body itself
    assert np.abs(shaded[16, 24 + 10] - 0.5).max() < 0.02  # what lies behind, beside it
    assert shaded[2].min() > 0.99


def _moves(scene: Scene) -> float:
    first, last = render(bare(scene), 32, 32, range(0, 14, 13))
    return float(np.abs(last - first).mean())


def test_every_shot_moves() -> None:
    """Without its grain and its light."""
    assert min(_moves(random_scene(Split.TRAINING, index)) for index in range(12)) > 0.002
    assert _moves(scene_of(disc(0.0, 0.0, 0.2), camera=STILL)) == 0

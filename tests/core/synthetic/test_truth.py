"""What is said to be true of a shot is what is drawn."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from scipy.ndimage import binary_dilation, binary_erosion, map_coordinates, maximum_filter, minimum_filter
from tests.core.synthetic.scenes import BLACK, PER_FRAME, SKIN, WHITE, bare, disc, scene_of

from i2vedit_core.synthetic import EDITS, Scene, Split, draw_truth, edit_scene, optical_flow, random_scene, render
from i2vedit_core.synthetic.geometry import pixel_centres
from i2vedit_core.synthetic.scene import Body, Camera, Path, Shadow

WIDTH, HEIGHT = 48, 32
FRAMES = range(3)
Array = npt.NDArray[np.float32]

TURNING = Body(SKIN, Path((0.0, 0.0)), 0.4, spin=1.2)
MOTIONS: dict[str, Scene] = {
    "pan": scene_of(camera=Camera(Path((0.0, 0.0), (0.6, -0.4)))),
    "zoom": scene_of(camera=Camera(Path((0.0, 0.0)), zoom=0.8)),
    "roll": scene_of(camera=Camera(Path((0.0, 0.0)), roll=0.8)),
    "shake": scene_of(camera=Camera(Path((0.0, 0.0)), shake=0.012)),
    "travel": scene_of(disc(-0.1, 0.0, 0.4, right=0.03, down=0.02)),
    "spin": scene_of(TURNING),
    "limb": scene_of(Body(SKIN, Path((-0.3, 0.0)), 0.3, reach=0.3, joint=(0.5, 0.3))),
    "squash": scene_of(Body(SKIN, Path((0.0, 0.0)), 0.4, squash=(0.3, 0.9))),
    "bend": scene_of(Body(SKIN, Path((0.0, 0.0)), 0.4, bend=0.06)),
    "ride": scene_of(replace(TURNING, radius=0.2), Body(SKIN, Path((0.15, 0.1)), 0.35, rides_on=0)),
}


def _fetched(frame: Array, flow: Array) -> Array:
    """A frame [H, W, 3] as seen along a flow [H, W, 2], between pixels bilinearly."""
    rows, columns = np.mgrid[: frame.shape[0], : frame.shape[1]]
    at = rows + flow[..., 1], columns + flow[..., 0]
    return np.stack([map_coordinates(channel, at, order=1, mode="nearest") for channel in np.moveaxis(frame, -1, 0)], axis=-1)


def _inner(flow: Array, visible: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Visible pixels but for those at a rim, which mix two things that move differently."""
    jump = maximum_filter(flow, (5, 5, 1)) - minimum_filter(flow, (5, 5, 1))
    return np.asarray(binary_erosion(visible, np.ones((3, 3))) & (jump.max(-1) < 0.5))


def _mistakes(scene: Scene, width: int, height: int, *factors: float) -> list[Array]:
    """For each factor on the flow: how far what is fetched from the next frame is from this one, at every pixel of which that is true."""
    clip = render(scene, width, height, FRAMES)
    flow, visible = optical_flow(scene, width, height, FRAMES)
    pairs = [(clip[i + 1], clip[i], flow[i], _inner(flow[i], visible[i])) for i in range(len(flow))]
    return [np.concatenate([np.abs(_fetched(after, by * way) - before).max(-1)[at] for after, before, way, at in pairs]) for by in factors]


@pytest.mark.parametrize("name", MOTIONS)
def test_along_the_flow_every_frame_finds_the_next(name: str) -> None:
    """For each motion alone, so that nothing makes up for a wrong one."""
    right, none, double, back = _mistakes(MOTIONS[name], WIDTH, HEIGHT, 1, 0, 2, -1)
    assert np.median(right) < 1 / 255
    assert min(wrong.mean() for wrong in (none, double, back)) > 3 * right.mean()


@pytest.mark.parametrize("split", list(Split))
def test_along_the_flow_random_scenes_find_their_next_frame(split: Split) -> None:
    """Large enough that what is left is the flow's mistake, and not that of fetching between pixels."""
    found = [_mistakes(bare(random_scene(split, index)), 96, 72, 1, 0, 2) for index in range(4)]
    right, none, double = (np.concatenate(mistakes) for mistakes in zip(*found, strict=True))
    assert np.median(right) < 0.1 / 255
    assert min(none.mean(), double.mean()) > 5 * right.mean()


def test_the_flow_of_a_pan_is_the_pan_and_what_leaves_is_not_visible() -> None:
    """The camera goes right by 1.5 pixels a frame, and so the picture goes left."""
    scene = scene_of(camera=Camera(Path((0.0, 0.0), (1.5 / HEIGHT * PER_FRAME, 0.0))))
    flow, visible = optical_flow(scene, WIDTH, HEIGHT, FRAMES)
    assert flow.shape == (2, HEIGHT, WIDTH, 2) and flow.dtype == np.float32 and visible.shape == (2, HEIGHT, WIDTH)
    assert np.abs(flow - (-1.5, 0.0)).max() < 1e-4
    assert not visible[:, :, :2].any() and visible[:, :, 2:].all()


def test_what_a_body_drives_over_is_hidden_and_the_body_is_not() -> None:
    """A disc comes from the left and covers a part of another one, and of the ground."""
    behind, front = disc(0.0, 0.0, 0.21), disc(-0.3, 0.0, 0.16, right=0.1)
    flow, visible = optical_flow(scene_of(behind, front), WIDTH, HEIGHT, FRAMES)
    x, y = pixel_centres(WIDTH, HEIGHT)
    for frame in FRAMES[:-1]:
        now, then = (np.hypot(x + 0.3 - 0.1 * each, y) < 0.16 for each in (frame, frame + 1))
        assert visible[frame][now].all()
        assert np.array_equal(visible[frame], now | ~then)
        assert np.abs(flow[frame][now] - (0.1 * HEIGHT, 0)).max() < 1e-4
        assert np.abs(flow[frame][~now]).max() < 1e-4
        assert (then & ~now & (np.hypot(x, y) < 0.21)).any()  # of the other disc, too


def test_what_a_shrinking_outline_lets_go_is_not_visible() -> None:
    """A lobe is drawn in: the body's surface does not move, its rim is gone."""
    breathing = Body(SKIN, Path((0.0, 0.0)), 0.2, lobes=((2, 0.5, 1.2),))
    flow, visible = optical_flow(scene_of(breathing), WIDTH, HEIGHT, range(2))
    x, y = pixel_centres(WIDTH, HEIGHT)
    was, stays = (np.hypot(x, y) < 0.2 * (1 + 0.5 * np.cos(2 * np.pi * 1.2 * t / 14) * np.cos(2 * np.arctan2(y, x))) for t in range(2))
    assert (was & ~stays).any() and np.abs(flow).max() < 1e-4
    assert np.array_equal(visible[0], was == stays)


def test_a_single_frame_has_no_flow() -> None:
    flow, visible = optical_flow(MOTIONS["pan"], WIDTH, HEIGHT, range(1))
    assert flow.shape == (0, HEIGHT, WIDTH, 2) and visible.shape == (0, HEIGHT, WIDTH)


@pytest.mark.parametrize("name", sorted(EDITS))
def test_the_truth_is_both_clips_where_they_differ_and_how_the_edit_moves(name: str) -> None:
    scene = random_scene(Split.EVALUATION, 5)
    edited = edit_scene(scene, name, 2)
    truth = draw_truth(scene, edited, WIDTH, HEIGHT, FRAMES)
    assert np.array_equal(truth.source, render(scene, WIDTH, HEIGHT, FRAMES))
    assert np.array_equal(truth.edited, render(edited, WIDTH, HEIGHT, FRAMES))
    difference = np.abs(truth.source - truth.edited).max(-1)
    assert truth.region.dtype == np.bool_ and truth.region.any()
    assert difference[truth.region].min() > 4 / 255 >= difference[~truth.region].max(initial=0)
    flow, visible = optical_flow(edited, WIDTH, HEIGHT, FRAMES)
    assert np.array_equal(truth.flow, flow) and np.array_equal(truth.visible, visible)


def test_the_region_of_a_painted_disc_is_the_disc() -> None:
    """Every pixel of it, and none beside it but for the pixel that its edge runs through: the rest is the same to the bit."""
    scene, painted = (replace(scene_of(disc(0.05, 0.0, 0.25, texture=texture)), grain=0.01) for texture in (BLACK, WHITE))
    truth = draw_truth(scene, painted, WIDTH, HEIGHT, range(1))
    x, y = pixel_centres(WIDTH, HEIGHT)
    from_centre = np.hypot(x - 0.05, y)
    assert truth.region[0][from_centre < 0.25].all()
    beside = from_centre > 0.25 + 1.5 / HEIGHT
    assert not truth.region[0][beside].any() and np.array_equal(truth.source[0][beside], truth.edited[0][beside])


MOVER = disc(-0.1, 0.0, 0.25, right=0.05)


@pytest.mark.parametrize("name", ["add", "remove", "shape"])
def test_the_flow_is_that_of_the_edited_scene(name: str) -> None:
    """Over still ground, in a still camera: there is motion exactly where the edited scene shows something before its ground."""
    scene = scene_of(MOVER)
    edited = edit_scene(scene, name, 4)
    truth = draw_truth(scene, edited, WIDTH, HEIGHT, range(2))
    moving = np.abs(truth.flow[0]).max(-1) > 0.01
    x, y = pixel_centres(WIDTH, HEIGHT)
    was = np.hypot(x + 0.1, y) < 0.25
    if name == "remove":
        assert not moving.any() and truth.visible.all() and truth.region[0][was].mean() > 0.9
        return
    assert np.abs(truth.flow[0][moving] - (0.05 * HEIGHT, 0)).max() < 1e-4
    ground = render(replace(edited, bodies=()), WIDTH, HEIGHT, range(1))[0]
    shown = np.abs(truth.edited[0] - ground).max(-1) > 4 / 255
    assert not (shown & ~binary_dilation(moving, np.ones((3, 3)))).any()  # its rim covers pixels by half, and is blurred
    assert shown[moving].mean() > 0.95  # its skin may here and there have the ground's colour
    if name == "shape":
        assert (moving != was).sum() > 0.05 * was.sum()


def test_an_added_thing_moves_as_its_carrier_does() -> None:
    """Also where the carrier turns and squashes itself: what was drawn on it would move no differently."""
    carrier = Body(SKIN, Path((0.0, 0.0), (0.3, 0.2)), 0.35, spin=1.0, squash=(0.2, 0.8), bend=0.03)
    scene = scene_of(carrier)
    edited = edit_scene(scene, "add", 1)
    assert edited.bodies[:-1] == scene.bodies and edited.bodies[-1].rides_on == scene.foremost
    truth = draw_truth(scene, edited, WIDTH, HEIGHT, FRAMES)
    assert 0.02 < truth.region.mean() < 0.3
    flow, _ = optical_flow(scene, WIDTH, HEIGHT, FRAMES)
    assert np.abs(truth.flow - flow).max() < 1e-3


def test_a_removed_body_takes_its_shadow_and_all_that_rides_on_it_along() -> None:
    stays = disc(0.35, 0.1, 0.12, right=-0.01)
    goes = disc(-0.2, 0.0, 0.2, right=0.02)
    limb = Body(SKIN, Path((0.1, 0.1)), 0.1, aspect=2.0, rides_on=1, reach=0.08)
    shadow = Shadow((0.05, 0.12), 0.06, 0.5)
    scene = scene_of(stays, goes, limb, shadow=shadow)
    removed = edit_scene(edit_scene(scene, "add", 1), "remove", 1)
    truth = draw_truth(scene, removed, WIDTH, HEIGHT, FRAMES)
    assert np.array_equal(truth.edited, render(scene_of(stays, shadow=shadow), WIDTH, HEIGHT, FRAMES))
    x, y = pixel_centres(WIDTH, HEIGHT)
    beyond = (np.hypot(x + 0.15, y - 0.12) < 0.18) & (y > 0.27)  # of the disc and of all that rides on it
    assert truth.region[0][beyond].all() and beyond.any()


def test_nothing_is_left_riding_on_a_body_that_is_gone() -> None:
    for index in range(60):
        left = edit_scene(random_scene(Split.EVALUATION, index), "remove", 1).bodies
        assert all(body.rides_on is None or left[body.rides_on].rides_on is None for body in left)

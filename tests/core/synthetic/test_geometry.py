"""Every way there is also a way back, and each ingredient of a motion does what its name says."""

import numpy as np
import pytest
from tests.core.synthetic.scenes import SKIN, STILL, disc, scene_of

from i2vedit_core.synthetic import Scene, Split, random_scene
from i2vedit_core.synthetic.geometry import (
    Point,
    body_to_world,
    cover,
    pixel_centres,
    screen_to_world,
    to_pixel,
    to_screen,
    world_to_body,
    world_to_screen,
)
from i2vedit_core.synthetic.scene import Body, Camera, Path

TRUNK = Body(SKIN, Path((0.1, -0.05), (0.3, 0.1), (0.05, 0.1), 0.7, 0.2), 0.2)
CAMERAS = {
    "pan": Camera(Path((0.1, 0.0), (0.4, -0.2), (0.05, 0.02), 0.8, 0.3)),
    "zoom": Camera(STILL.path, zoom=0.3),
    "roll": Camera(STILL.path, roll=0.4),
    "shake": Camera(STILL.path, shake=0.02),
    "all": Camera(Path((0.1, 0.0), (0.4, -0.2)), zoom=-0.3, roll=0.4, shake=0.02),
}
BODIES = {
    "moving": TRUNK,
    "spinning": Body(SKIN, TRUNK.path, 0.2, angle=0.3, spin=0.8),
    "long": Body(SKIN, TRUNK.path, 0.2, aspect=1.7, angle=0.5),
    "reaching": Body(SKIN, TRUNK.path, 0.2, reach=0.15, joint=(0.7, 0.6)),
    "squashed": Body(SKIN, TRUNK.path, 0.2, squash=(0.3, 0.4)),
    "bent": Body(SKIN, TRUNK.path, 0.2, bend=0.05),
    "all": Body(SKIN, TRUNK.path, 0.2, 1.7, 0.5, 0.8, reach=0.15, joint=(0.7, 0.6), squash=(0.3, 0.4), bend=0.05),
}
TIMES = (-0.2, 0.6, 3.1)
GRID = pixel_centres(12, 8)


def _point(x: float, y: float) -> Point:
    return np.asarray([x], np.float32), np.asarray([y], np.float32)


def _apart(first: Point, second: Point) -> float:
    """The farthest that two sets of points are apart."""
    return float(np.hypot(first[0] - second[0], first[1] - second[1]).max())


def _assert_there_and_back(scene: Scene, t: float) -> None:
    assert _apart(world_to_screen(scene.camera, screen_to_world(scene.camera, GRID, t), t), GRID) < 1e-5
    assert _apart(screen_to_world(scene.camera, world_to_screen(scene.camera, GRID, t), t), GRID) < 1e-5
    for body in scene.bodies:
        assert _apart(body_to_world(scene, body, world_to_body(scene, body, GRID, t), t), GRID) < 1e-5
        assert _apart(world_to_body(scene, body, body_to_world(scene, body, GRID, t), t), GRID) < 1e-5


def test_pixels_and_screen_are_two_names_of_one_point() -> None:
    x, y = pixel_centres(6, 4)
    assert x.shape == y.shape == (4, 6)
    assert (x[0, 0], y[0, 0], x[0, -1], y[-1, 0]) == (-0.625, -0.375, 0.625, 0.375)
    pixel = to_pixel((x, y), 6, 4)
    assert _apart(pixel, (np.mgrid[:4, :6][1].astype(np.float32), np.mgrid[:4, :6][0].astype(np.float32))) < 1e-6
    assert _apart(to_screen(pixel, 6, 4), (x, y)) < 1e-6


@pytest.mark.parametrize("name", CAMERAS)
def test_every_camera_sees_back_to_where_it_looked_from(name: str) -> None:
    for t in TIMES:
        _assert_there_and_back(scene_of(camera=CAMERAS[name]), t)
        assert _apart(screen_to_world(CAMERAS[name], GRID, t), screen_to_world(STILL, GRID, t)) > 0.01


@pytest.mark.parametrize("carried", [False, True])
@pytest.mark.parametrize("name", BODIES)
def test_every_body_knows_the_way_back(name: str, carried: bool) -> None:
    """Alone, and on a body that turns, reaches, squashes and bends itself."""
    body = BODIES[name]
    if carried:
        body = Body(SKIN, body.path, 0.2, body.aspect, body.angle, body.spin, (), 0, body.reach, body.joint, body.squash, body.bend)
    scene = scene_of(BODIES["all"], body)
    for t in TIMES:
        _assert_there_and_back(scene, t)
    if name != "moving":
        plain = Body(SKIN, body.path, 0.2, rides_on=body.rides_on)
        assert _apart(world_to_body(scene, body, GRID, 0.6), world_to_body(scene, plain, GRID, 0.6)) > 0.01


@pytest.mark.parametrize("split", list(Split))
def test_random_scenes_of_every_split_know_the_way_back(split: Split) -> None:
    for index in range(6):
        for t in TIMES:
            _assert_there_and_back(random_scene(split, index), t)


def test_a_camera_looks_where_its_path_is_and_zooms_and_rolls_about_the_middle() -> None:
    pan, zoom, roll = Camera(Path((0.1, 0.0), (0.4, -0.2))), Camera(STILL.path, zoom=0.5), Camera(STILL.path, roll=np.pi / 2)
    assert _apart(screen_to_world(pan, _point(0, 0), 2.0), _point(0.9, -0.4)) < 1e-6
    assert _apart(screen_to_world(zoom, _point(0.2, 0.1), 2.0), _point(0.2 * np.e, 0.1 * np.e)) < 1e-6
    assert _apart(screen_to_world(roll, _point(0.2, 0), 1.0), _point(0, 0.2)) < 1e-6


def test_a_limb_swings_about_its_joint() -> None:
    """Its own centre stays as far from the point it hangs on, and does not stay where it is."""
    limb = Body(SKIN, Path((0.1, 0.1)), 0.1, reach=0.3, joint=(0.8, 0.25))
    scene = scene_of(limb)
    rest, swung = (body_to_world(scene, limb, _point(0, 0), t) for t in (0.0, 1.0))
    assert _apart(rest, _point(0.4, 0.1)) < 1e-6
    assert _apart(swung, _point(0.1 + 0.3 * np.cos(0.8), 0.1 + 0.3 * np.sin(0.8))) < 1e-6


def test_squash_and_bend_keep_the_area() -> None:
    """The determinant of the body's map, by differences, is the aspect alone."""
    body, step = BODIES["all"], 1e-2
    scene = scene_of(body)
    origin, right, down = (body_to_world(scene, body, (GRID[0] + u, GRID[1] + v), 0.6) for u, v in ((0.0, 0.0), (step, 0.0), (0.0, step)))
    along, across = ((moved[0] - origin[0], moved[1] - origin[1]) for moved in (right, down))
    area = (along[0] * across[1] - along[1] * across[0]) / step**2
    assert np.abs(area * body.aspect - 1).max() < 1e-2


def test_what_rides_stays_where_it_sits_on_its_carrier() -> None:
    carrier = BODIES["all"]
    rider = Body(SKIN, Path((0.05, -0.03)), 0.05, rides_on=0)
    scene = scene_of(carrier, rider)
    for t in TIMES:
        centre = body_to_world(scene, rider, _point(0, 0), t)
        assert _apart(world_to_body(scene, carrier, centre, t), _point(0.05, -0.03)) < 1e-5
        assert _apart(centre, body_to_world(scene, carrier, _point(0.05, -0.03), t)) < 1e-5


def test_an_outline_is_its_radius_and_its_lobes_breathe() -> None:
    plain, lobed = disc(0, 0, 0.2), Body(SKIN, Path((0.0, 0.0)), 0.2, lobes=((2, 0.5, 0.25),))
    points = np.asarray([0.19, 0.21, 0.29, 0.31], np.float32), np.zeros(4, np.float32)
    assert cover(plain, points, 0.0, 1e-3).tolist() == [1, 0, 0, 0]
    assert cover(lobed, points, 0.0, 1e-3).tolist() == [1, 1, 1, 0]
    assert cover(lobed, points, 1.0, 1e-3).tolist() == [1, 0, 0, 0]  # a quarter of its breath later the lobe is flat
    assert np.allclose(cover(plain, points, 0.0, 0.04), [0.75, 0.25, 0, 0], atol=1e-4)

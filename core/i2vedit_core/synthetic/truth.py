"""What is known about a drawn shot and its edit, exactly: the edited clip, where it differs, and how everything moves."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from i2vedit_core.media.pixels import largest_difference
from i2vedit_core.synthetic.geometry import (
    Point,
    body_to_world,
    cover,
    pixel_centres,
    screen_to_world,
    to_pixel,
    world_to_body,
    world_to_screen,
)
from i2vedit_core.synthetic.render import Picture, render, scene_time
from i2vedit_core.synthetic.scene import Scene

Mask = npt.NDArray[np.bool_]

CHANGED = 4 / 255
"""A pixel belongs to the edit from this difference on, in its strongest channel: what an eye sees."""
BACKGROUND = -1


@dataclass(frozen=True)
class Truth:
    """A shot beside its edit. Clips are display-referred RGB `[F, H, W, 3]` float32 in 0..1."""

    source: Picture
    edited: Picture
    region: Mask
    """`[F, H, W]`: where the two differ."""
    flow: Picture
    """`[F - 1, H, W, 2]`: how far right and down, in pixels, what is seen in a frame of the *edited* clip has moved in the next."""
    visible: Mask
    """`[F - 1, H, W]`: whether it is still seen there: neither hidden nor out of the picture."""


def draw_truth(source: Scene, edited: Scene, width: int, height: int, frames: range) -> Truth:
    """Both clips and what is known of them."""
    before, after = (render(scene, width, height, frames) for scene in (source, edited))
    flow, visible = optical_flow(edited, width, height, frames)
    return Truth(before, after, largest_difference(after, before) > CHANGED, flow, visible)


def optical_flow(scene: Scene, width: int, height: int, frames: range) -> tuple[Picture, Mask]:
    """Flow `[F - 1, H, W, 2]` in pixels and visibility `[F - 1, H, W]` between each frame and the next, at the frames' middles."""
    pairs = [_flow(scene, width, height, scene_time(frame), scene_time(frame + 1)) for frame in frames[:-1]]
    if not pairs:
        return np.zeros((0, height, width, 2), np.float32), np.zeros((0, height, width), np.bool_)
    flow, visible = zip(*pairs, strict=True)
    return np.stack(flow), np.stack(visible)


def disoccluded(scene: Scene, width: int, height: int, frames: range) -> Mask:
    """`[F, H, W]`: what the first of the frames does not show: it was hidden there, or outside the picture."""
    first = scene_time(frames.start)
    return np.stack([~_flow(scene, width, height, scene_time(frame), first)[1] for frame in frames])


def _flow(scene: Scene, width: int, height: int, now: float, then: float) -> tuple[Picture, Mask]:
    screen = pixel_centres(width, height)
    owner = _owner(scene, screen, now)
    there = _carry(scene, screen, owner, now, then)
    x, y = to_pixel(there, width, height)
    x_now, y_now = to_pixel(screen, width, height)
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    return np.stack([x - x_now, y - y_now], axis=-1).astype(np.float32), inside & (_owner(scene, there, then) == owner)


def _owner(scene: Scene, screen: Point, t: float) -> npt.NDArray[np.int64]:
    """Which body is seen at each point: its index, or BACKGROUND."""
    world = screen_to_world(scene.camera, screen, t)
    owner = np.full(screen[0].shape, BACKGROUND, np.int64)
    for index, body in enumerate(scene.bodies):
        owner[cover(body, world_to_body(scene, body, world, t), t, softness=1e-3) > 0.5] = index
    return owner


def _carry(scene: Scene, screen: Point, owner: npt.NDArray[np.int64], now: float, then: float) -> Point:
    """Where on the screen what is seen at each point now is seen then."""
    world = screen_to_world(scene.camera, screen, now)
    x, y = world_to_screen(scene.camera, world, then)
    for index, body in enumerate(scene.bodies):
        mine = owner == index
        moved = body_to_world(scene, body, world_to_body(scene, body, world, now), then)
        body_x, body_y = world_to_screen(scene.camera, moved, then)
        x, y = np.where(mine, body_x, x), np.where(mine, body_y, y)
    return x, y

"""Draws a scene, frame by frame, at any size."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from i2vedit_core.synthetic.geometry import Point, cover, pixel_centres, screen_to_world, world_to_body
from i2vedit_core.synthetic.scene import Body, Scene

Picture = npt.NDArray[np.float32]

FRAMES_PER_UNIT = 14
"""Frames in one unit of scene time."""
SHUTTER = 0.5
"""How long the shutter is open, in frames: the 180 degrees of film."""
SAMPLES = ((-0.25, -0.25), (0.25, 0.25), (0.25, -0.25), (-0.25, 0.25))
"""Where in the pixel each of a frame's samples is taken. They follow each other in time, so motion blurs and edges are smooth."""


def render(scene: Scene, width: int, height: int, frames: range) -> Picture:
    """The given frames as display-referred RGB `[F, H, W, 3]` float32 in 0..1."""
    return np.stack(list(render_frames(scene, width, height, frames)))


def render_frames(scene: Scene, width: int, height: int, frames: range) -> Iterator[Picture]:
    """As `render`, one frame `[H, W, 3]` at a time."""
    for frame in frames:
        yield _finish(scene, _expose(scene, width, height, frame), frame)


def scene_time(frame: float) -> float:
    """The scene's time at a frame's middle."""
    return frame / FRAMES_PER_UNIT


def _expose(scene: Scene, width: int, height: int, frame: int) -> Picture:
    """One frame as the open shutter sees it: the mean of its samples."""
    x, y = pixel_centres(width, height)
    total = np.zeros((height, width, 3), np.float32)
    for index, (right, down) in enumerate(SAMPLES):
        t = scene_time(frame + SHUTTER * ((index + 0.5) / len(SAMPLES) - 0.5))
        total += _draw(scene, (x + np.float32(right / height), y + np.float32(down / height)), t, softness=1 / height)
    return np.asarray(total / len(SAMPLES), np.float32)


def _draw(scene: Scene, screen: Point, t: float, softness: float) -> Picture:
    world = screen_to_world(scene.camera, screen, t)
    picture = scene.background.color(*world)
    for body in scene.bodies:
        if scene.shadow.strength > 0 and body.rides_on is None:
            picture = picture * (1 - np.float32(scene.shadow.strength) * _shade(scene, body, world, t)[..., None])
        local = world_to_body(scene, body, world, t)
        inside = cover(body, local, t, softness)[..., None]
        picture = picture * (1 - inside) + body.texture.color(*local) * inside
    return picture


def _shade(scene: Scene, body: Body, world: Point, t: float) -> Picture:
    """How deep each point lies in the shadow of a body, 0..1."""
    right, down = scene.shadow.offset
    moved = world[0] - np.float32(right), world[1] - np.float32(down)
    return cover(body, world_to_body(scene, body, moved, t), t, scene.shadow.softness)


def _finish(scene: Scene, picture: Picture, frame: int) -> Picture:
    """Light, look and grain. The grain depends on scene and frame alone, so a plate and its edit carry the same."""
    amplitude, rate = scene.light
    picture = picture * np.float32(1 + amplitude * np.sin(2 * np.pi * rate * scene_time(frame)))
    picture = scene.look.apply(picture)
    draw = np.random.default_rng([scene.seed, frame])
    grain = draw.standard_normal(picture.shape, dtype=np.float32) * np.float32(scene.grain)
    return np.clip(picture + grain, 0, 1).astype(np.float32)

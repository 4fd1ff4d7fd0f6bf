"""Draws a scene, frame by frame, at any size."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from i2vedit_core.synthetic.scene import Body, Scene
from i2vedit_core.synthetic.texture import Plane

Picture = npt.NDArray[np.float32]

FRAMES_PER_UNIT = 14
"""Frames in one unit of scene time."""


def render(scene: Scene, width: int, height: int, frames: range) -> Picture:
    """The given frames as display-referred RGB `[F, H, W, 3]` float32 in 0..1."""
    return np.stack(list(render_frames(scene, width, height, frames)))


def render_frames(scene: Scene, width: int, height: int, frames: range) -> Iterator[Picture]:
    """As `render`, one frame `[H, W, 3]` at a time."""
    for frame in frames:
        picture = _draw(scene, width, height, frame / FRAMES_PER_UNIT)
        yield _finish(scene, picture, frame)


def _draw(scene: Scene, width: int, height: int, t: float) -> Picture:
    x, y = _world(scene, *_screen(width, height), t)
    picture = scene.background.color(x, y)
    for body in scene.bodies:
        u, v = _local(scene, body, x, y, t)
        cover = _cover(body, u, v, t, softness=1.0 / height)[..., None]
        picture = picture * (1 - cover) + body.texture.color(u, v) * cover
    return picture


def _screen(width: int, height: int) -> tuple[Plane, Plane]:
    """Pixel centres in picture heights from the centre of the picture, each `[H, W]`."""
    rows = (np.arange(height, dtype=np.float32) + 0.5) / height - 0.5
    columns = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / height
    x, y = np.meshgrid(columns, rows)
    return np.asarray(x, np.float32), np.asarray(y, np.float32)


def _world(scene: Scene, x: Plane, y: Plane, t: float) -> tuple[Plane, Plane]:
    """What the camera sees where: screen coordinates to world coordinates at time `t`."""
    camera = scene.camera
    x, y = _rotate(x, y, camera.roll * t)
    scale = np.float32(np.exp(camera.zoom * t))
    left, top = camera.path.at(t)
    return x * scale + np.float32(left), y * scale + np.float32(top)


def _local(scene: Scene, body: Body, x: Plane, y: Plane, t: float) -> tuple[Plane, Plane]:
    """World coordinates as the body sees them: its own centre, turned with it, and with what it rides on."""
    if body.rides_on is not None:
        x, y = _local(scene, scene.bodies[body.rides_on], x, y, t)
    left, top = body.path.at(t)
    u, v = _rotate(x - np.float32(left), y - np.float32(top), -(body.angle + body.spin * t))
    return u, v * np.float32(body.aspect)


def _rotate(x: Plane, y: Plane, angle: float) -> tuple[Plane, Plane]:
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return x * cosine - y * sine, x * sine + y * cosine


def _cover(body: Body, u: Plane, v: Plane, t: float, softness: float) -> Plane:
    """How much of each pixel the body covers, 0..1, with an edge about a pixel wide."""
    angle = np.arctan2(v, u)
    outline = np.full_like(u, body.radius)
    for count, depth, rate in body.lobes:
        outline *= 1 + np.float32(depth * np.cos(2 * np.pi * rate * t)) * np.cos(count * angle)
    return np.asarray(np.clip((outline - np.hypot(u, v)) / softness + 0.5, 0, 1), np.float32)


def _finish(scene: Scene, picture: Picture, frame: int) -> Picture:
    """Light, look and grain. The grain depends on scene and frame alone, so a plate and its edit carry the same."""
    amplitude, rate = scene.light
    picture = picture * np.float32(1 + amplitude * np.sin(2 * np.pi * rate * frame / FRAMES_PER_UNIT))
    look = scene.look
    picture = np.clip(picture * np.asarray(look.gain, np.float32), 0, 1) ** np.float32(look.gamma)
    picture = picture * (1 - np.float32(look.grey)) + picture.mean(axis=-1, keepdims=True) * np.float32(look.grey)
    draw = np.random.default_rng([scene.seed, frame])
    grain = draw.standard_normal(picture.shape, dtype=np.float32) * np.float32(scene.grain)
    return np.clip(picture + grain, 0, 1).astype(np.float32)

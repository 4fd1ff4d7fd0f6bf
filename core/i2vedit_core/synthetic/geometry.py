"""Where things are: from the screen to the world to a body's own plane, and back. Lengths in picture heights, time in chunks of 14 frames.

Every map has its inverse here, so that the optical flow of a shot is computed, not estimated.
"""

import numpy as np
import numpy.typing as npt

from i2vedit_core.synthetic.scene import Body, Camera, Scene

Plane = npt.NDArray[np.float32]
Point = tuple[Plane, Plane]
"""x and y (or u and v) of many points, arrays of one shape."""


def pixel_centres(width: int, height: int) -> Point:
    """Screen coordinates of every pixel centre, each `[H, W]`: the origin is the centre of the picture, y points down."""
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return to_screen((x, y), width, height)


def to_screen(pixel: Point, width: int, height: int) -> Point:
    """Pixel coordinates (0 is the centre of the first pixel) to screen coordinates."""
    x, y = pixel
    return (x + np.float32(0.5 - width / 2)) / np.float32(height), (y + np.float32(0.5 - height / 2)) / np.float32(height)


def to_pixel(screen: Point, width: int, height: int) -> Point:
    """The inverse of `to_screen`."""
    x, y = screen
    return x * np.float32(height) + np.float32(width / 2 - 0.5), y * np.float32(height) + np.float32(height / 2 - 0.5)


def screen_to_world(camera: Camera, point: Point, t: float) -> Point:
    """What the camera sees where at time `t`: rolled, zoomed, then moved."""
    x, y = _rotate(point, camera.roll * t)
    scale, (left, top) = np.float32(np.exp(camera.zoom * t)), camera.position(t)
    return x * scale + np.float32(left), y * scale + np.float32(top)


def world_to_screen(camera: Camera, point: Point, t: float) -> Point:
    """The inverse of `screen_to_world`."""
    scale, (left, top) = np.float32(np.exp(-camera.zoom * t)), camera.position(t)
    return _rotate(((point[0] - np.float32(left)) * scale, (point[1] - np.float32(top)) * scale), -camera.roll * t)


def world_to_body(scene: Scene, body: Body, point: Point, t: float) -> Point:
    """World coordinates as the body sees them: its own centre, turned and deformed with it, and with what it rides on."""
    if body.rides_on is not None:
        point = world_to_body(scene, scene.bodies[body.rides_on], point, t)
    left, top = body.path.at(t)
    u, v = _rotate((point[0] - np.float32(left), point[1] - np.float32(top)), -body.turned(t))
    stretch, wave = body.deformed(t)
    u, v = (u - np.float32(body.reach)) / np.float32(stretch), v * np.float32(stretch * body.aspect)
    return u - _wave(body, v, wave), v


def body_to_world(scene: Scene, body: Body, point: Point, t: float) -> Point:
    """The inverse of `world_to_body`."""
    stretch, wave = body.deformed(t)
    u, v = point[0] + _wave(body, point[1], wave), point[1]
    u, v = u * np.float32(stretch) + np.float32(body.reach), v / np.float32(stretch * body.aspect)
    left, top = body.path.at(t)
    x, y = _rotate((u, v), body.turned(t))
    x, y = x + np.float32(left), y + np.float32(top)
    return (x, y) if body.rides_on is None else body_to_world(scene, scene.bodies[body.rides_on], (x, y), t)


def cover(body: Body, point: Point, t: float, softness: float) -> Plane:
    """How much of each point of the body's own plane lies inside its outline, 0..1, with an edge as wide as `softness`."""
    u, v = point
    angle = np.arctan2(v, u)
    outline = np.full_like(u, body.radius)
    for count, depth, rate in body.lobes:
        outline *= 1 + np.float32(depth * np.cos(2 * np.pi * rate * t)) * np.cos(count * angle)
    return np.asarray(np.clip((outline - np.hypot(u, v)) / softness + 0.5, 0, 1), np.float32)


def _wave(body: Body, v: Plane, phase: float) -> Plane:
    """How far a bending body is pushed aside at `v`."""
    return np.asarray(np.float32(body.bend) * np.sin(v * np.float32(np.pi / body.radius) + np.float32(phase)), np.float32)


def _rotate(point: Point, angle: float) -> Point:
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    x, y = point
    return x * cosine - y * sine, x * sine + y * cosine

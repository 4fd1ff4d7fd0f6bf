"""A scene: a background, bodies that move over it, a camera, light and grain. Everything follows from one seed."""

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np

from i2vedit_core.synthetic.look import UNCHANGED, Look
from i2vedit_core.synthetic.texture import Color, Pattern, Texture

BACKGROUND_FREQUENCY = (0.8, 3.5)
BODY_FREQUENCY = (1.5, 4.5)
"""Cycles per picture height: at 64 pixels the finest stripe is still 14 pixels wide, dark and light together."""
CLEAN_SHARE = 0.2
"""Of the shots outside training: drawn cleanly, without grain, over a flat ground. In training every shot has grain."""


class Split(IntEnum):
    """Seeds of different splits never meet: each split draws from a generator of its own."""

    TRAINING = 0
    EVALUATION = 1
    VERIFICATION = 2


@dataclass(frozen=True)
class Path:
    """Where something is at time `t` (in chunks of 14 frames): an even drift plus a swing. Positions in picture heights from the centre."""

    start: tuple[float, float]
    drift: tuple[float, float] = (0.0, 0.0)
    swing: tuple[float, float] = (0.0, 0.0)
    rate: float = 0.0
    phase: float = 0.0

    def at(self, t: float) -> tuple[float, float]:
        wave = np.sin(2 * np.pi * self.rate * t + self.phase)
        return (
            float(self.start[0] + self.drift[0] * t + self.swing[0] * wave),
            float(self.start[1] + self.drift[1] * t + self.swing[1] * wave),
        )


@dataclass(frozen=True)
class Body:
    """A textured thing. Its outline is a radius over the angle: `radius * (1 + sum of lobes)`, lobes that may breathe with time."""

    texture: Texture
    path: Path
    radius: float
    aspect: float = 1.0
    angle: float = 0.0
    spin: float = 0.0
    """Radians per unit of time."""
    lobes: tuple[tuple[int, float, float], ...] = ()
    """(count around the outline, depth, breathing rate)."""
    rides_on: int | None = None
    """Index of the body whose motion this one follows."""
    reach: float = 0.0
    """Distance from the point it turns about to its own centre: more than 0 for a limb that hangs on a joint."""
    joint: tuple[float, float] = (0.0, 0.0)
    """Amplitude in radians and rate of a swing about that point."""
    squash: tuple[float, float] = (0.0, 0.0)
    """Amplitude (of the logarithm of the stretch) and rate of a squash and stretch that keeps the area."""
    bend: float = 0.0
    """Amplitude of a wave that runs through the body, in picture heights."""

    def turned(self, t: float) -> float:
        """Its angle in radians at time `t`."""
        amplitude, rate = self.joint
        return float(self.angle + self.spin * t + amplitude * np.sin(2 * np.pi * rate * t))

    def deformed(self, t: float) -> tuple[float, float]:
        """(stretch along its own u, phase of its bend) at time `t`."""
        amplitude, rate = self.squash
        return float(np.exp(amplitude * np.sin(2 * np.pi * rate * t))), 2 * np.pi * t


@dataclass(frozen=True)
class Camera:
    """Pan, zoom and roll per unit of time, and the shake of a hand."""

    path: Path
    zoom: float = 0.0
    roll: float = 0.0
    shake: float = 0.0
    """Amplitude in picture heights."""

    def position(self, t: float) -> tuple[float, float]:
        x, y = self.path.at(t)
        return x + self.shake * float(np.sin(19.1 * t) + np.sin(31.7 * t)), y + self.shake * float(np.sin(23.3 * t) + np.sin(37.9 * t))


@dataclass(frozen=True)
class Shadow:
    """What bodies cast on everything behind them: an offset in picture heights, a softness, a strength in 0..1."""

    offset: tuple[float, float] = (0.0, 0.0)
    softness: float = 0.08
    strength: float = 0.0


@dataclass(frozen=True)
class Scene:
    background: Texture
    bodies: tuple[Body, ...]
    """From back to front. What rides on a body comes right behind it."""
    camera: Camera
    light: tuple[float, float]
    """Amplitude and rate of a slow change of brightness."""
    grain: float
    seed: int
    shadow: Shadow = Shadow()
    look: Look = UNCHANGED

    @property
    def foremost(self) -> int:
        """Index of the body in front that rides on no other; everything after it rides on it."""
        return max(index for index, body in enumerate(self.bodies) if body.rides_on is None)


def random_scene(split: Split, index: int) -> Scene:
    """Scene number `index` of a split: the same two numbers always give the same scene."""
    draw = np.random.default_rng([split, index])
    bodies: list[Body] = []
    for _ in range(int(draw.integers(1, 4))):
        bodies += _random_figure(draw, len(bodies))
    clean = split is not Split.TRAINING and draw.random() < CLEAN_SHARE
    ground = random_texture(draw, BACKGROUND_FREQUENCY)
    return Scene(
        background=Texture(Pattern.FLAT, ground.first, ground.second, 1.0, 0.0, 0) if clean else ground,
        bodies=tuple(bodies),
        camera=_random_camera(draw),
        light=(float(draw.uniform(0, 0.15)), float(draw.uniform(0.2, 1.0))),
        grain=0.0 if clean else float(draw.uniform(0.002, 0.015)),
        seed=int(draw.integers(2**31)),
        shadow=_random_shadow(draw),
    )


def lingering(scene: Scene) -> Scene:
    """The same scene for long shots: nothing drifts out of the picture, everything swings about where it began."""
    bodies = tuple(replace(body, path=replace(body.path, drift=(0.0, 0.0))) for body in scene.bodies)
    camera = replace(scene.camera, path=replace(scene.camera.path, drift=(0.0, 0.0)), zoom=0.0, roll=0.0)
    return replace(scene, bodies=bodies, camera=camera)


def random_color(draw: np.random.Generator) -> Color:
    """Mostly muted, sometimes strong: as footage is."""
    base = draw.uniform(0.08, 0.92)
    spread = draw.choice([0.1, 0.3, 0.8])
    red, green, blue = np.clip(base + spread * draw.uniform(-1, 1, 3), 0.02, 0.98)
    return float(red), float(green), float(blue)


def random_texture(draw: np.random.Generator, frequency: tuple[float, float]) -> Texture:
    return Texture(
        pattern=list(Pattern)[int(draw.choice(6, p=[0.12, 0.36, 0.14, 0.12, 0.12, 0.14]))],
        first=random_color(draw),
        second=random_color(draw),
        frequency=float(draw.uniform(*frequency)),
        angle=float(draw.uniform(0, np.pi)),
        seed=int(draw.integers(2**31)),
    )


def random_lobes(draw: np.random.Generator) -> tuple[tuple[int, float, float], ...]:
    return tuple(
        (int(draw.integers(2, 6)), float(draw.uniform(0, 0.3)), float(draw.uniform(0, 0.8))) for _ in range(int(draw.integers(0, 3)))
    )


def _random_path(draw: np.random.Generator, spread: float, speed: float) -> Path:
    start, drift, swing = (_random_pair(draw, size) for size in (spread, speed, speed * 0.5))
    return Path(start, drift, swing, float(draw.uniform(0.2, 1.0)), float(draw.uniform(0, 2 * np.pi)))


def _random_pair(draw: np.random.Generator, size: float) -> tuple[float, float]:
    first, second = draw.uniform(-size, size, 2)
    return float(first), float(second)


def _random_figure(draw: np.random.Generator, index: int) -> list[Body]:
    """A body, rigid or deforming; one in three has limbs."""
    soft = draw.random() < 0.4
    trunk = Body(
        texture=random_texture(draw, BODY_FREQUENCY),
        path=_random_path(draw, 0.3, 0.25),
        radius=float(draw.uniform(0.12, 0.3)),
        aspect=float(draw.uniform(0.6, 1.6)),
        angle=float(draw.uniform(0, 2 * np.pi)),
        spin=float(draw.uniform(-1.0, 1.0)),
        lobes=random_lobes(draw),
        squash=(float(draw.uniform(0, 0.25)) * soft, float(draw.uniform(0.3, 1.0))),
        bend=float(draw.uniform(0, 0.03)) * soft,
    )
    limbs = int(draw.integers(1, 3)) if draw.random() < 0.33 else 0
    return [trunk, *(_random_limb(draw, trunk, index) for _ in range(limbs))]


def _random_limb(draw: np.random.Generator, trunk: Body, index: int) -> Body:
    """A long thing that swings about a joint on the outline of its trunk."""
    around, half = float(draw.uniform(0, 2 * np.pi)), float(draw.uniform(0.08, 0.16))
    return Body(
        texture=random_texture(draw, BODY_FREQUENCY),
        path=Path((0.8 * trunk.radius * float(np.cos(around)), 0.8 * trunk.radius * float(np.sin(around)))),
        radius=half,
        aspect=float(draw.uniform(1.8, 2.6)),
        angle=around,
        rides_on=index,
        reach=0.8 * half,
        joint=(float(draw.uniform(0.2, 0.9)), float(draw.uniform(0.3, 1.0))),
    )


def _random_camera(draw: np.random.Generator) -> Camera:
    moving, held = draw.random() < 0.6, draw.random() < 0.25
    path = _random_path(draw, 0.0, 0.2 if moving else 0.01)
    zoom, roll = _random_pair(draw, 0.18) if moving else (0.0, 0.0)
    return Camera(path, zoom, roll, float(draw.uniform(0, 0.006)) * held)


def _random_shadow(draw: np.random.Generator) -> Shadow:
    thrown = draw.random() < 0.5
    return Shadow(_random_pair(draw, 0.1), float(draw.uniform(0.05, 0.12)), float(draw.uniform(0.2, 0.55)) * thrown)

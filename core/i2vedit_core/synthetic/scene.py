"""A scene: a background, bodies that move over it, a camera, light and grain. Everything follows from one seed."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from i2vedit_core.synthetic.texture import Pattern, Texture

Color = tuple[float, float, float]


class Split(IntEnum):
    """Seeds of different splits never meet: each split draws from a generator of its own."""

    TRAINING = 0
    EVALUATION = 1
    VERIFICATION = 2


@dataclass(frozen=True)
class Path:
    """Where something is at time `t` (in chunks of 14 frames): an even drift plus a swing. Positions in picture heights from the centre."""

    start: tuple[float, float]
    drift: tuple[float, float]
    swing: tuple[float, float]
    rate: float
    phase: float

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
    aspect: float
    angle: float
    spin: float
    lobes: tuple[tuple[int, float, float], ...]
    """(count around the outline, depth, breathing rate)."""
    rides_on: int | None = None
    """Index of the body whose motion this one follows."""


@dataclass(frozen=True)
class Camera:
    """Pan, zoom and roll per unit of time, with a little shake."""

    path: Path
    zoom: float
    roll: float


@dataclass(frozen=True)
class Look:
    """A global look, applied to the finished picture: gain per channel, then gamma, then a mix towards grey."""

    gain: Color = (1.0, 1.0, 1.0)
    gamma: float = 1.0
    grey: float = 0.0


@dataclass(frozen=True)
class Scene:
    background: Texture
    bodies: tuple[Body, ...]
    camera: Camera
    light: tuple[float, float]
    """Amplitude and rate of a slow change of brightness."""
    grain: float
    seed: int
    look: Look = Look()


def random_scene(split: Split, index: int) -> Scene:
    """Scene number `index` of a split: the same two numbers always give the same scene."""
    draw = np.random.default_rng([split, index])
    count = int(draw.integers(1, 4))
    return Scene(
        background=random_texture(draw, (1.0, 5.0)),
        bodies=tuple(_random_body(draw) for _ in range(count)),
        camera=_random_camera(draw),
        light=(float(draw.uniform(0, 0.15)), float(draw.uniform(0.2, 1.0))),
        grain=float(draw.uniform(0.002, 0.02)),
        seed=int(draw.integers(2**31)),
    )


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


def _random_path(draw: np.random.Generator, spread: float, speed: float) -> Path:
    start, drift, swing = (_random_pair(draw, size) for size in (spread, speed, speed * 0.5))
    return Path(start, drift, swing, float(draw.uniform(0.2, 1.2)), float(draw.uniform(0, 2 * np.pi)))


def _random_pair(draw: np.random.Generator, size: float) -> tuple[float, float]:
    first, second = draw.uniform(-size, size, 2)
    return float(first), float(second)


def _random_body(draw: np.random.Generator) -> Body:
    lobes = tuple(
        (int(draw.integers(2, 6)), float(draw.uniform(0, 0.3)), float(draw.uniform(0, 1.0))) for _ in range(int(draw.integers(0, 3)))
    )
    return Body(
        texture=random_texture(draw, (2.0, 7.0)),
        path=_random_path(draw, 0.35, 0.3),
        radius=float(draw.uniform(0.12, 0.32)),
        aspect=float(draw.uniform(0.6, 1.6)),
        angle=float(draw.uniform(0, 2 * np.pi)),
        spin=float(draw.uniform(-1.2, 1.2)),
        lobes=lobes,
    )


def _random_camera(draw: np.random.Generator) -> Camera:
    moving = draw.random() < 0.6
    speed = 0.25 if moving else 0.01
    return Camera(_random_path(draw, 0.0, speed), float(draw.uniform(-0.2, 0.2)) * moving, float(draw.uniform(-0.2, 0.2)) * moving)

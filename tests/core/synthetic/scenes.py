"""Scenes put together by hand, so that a test can say where everything is."""

from dataclasses import replace

from i2vedit_core.synthetic.look import UNCHANGED
from i2vedit_core.synthetic.scene import Body, Camera, Path, Scene, Shadow
from i2vedit_core.synthetic.texture import Pattern, Texture

GROUND = Texture(Pattern.CLOUDS, (0.15, 0.3, 0.25), (0.7, 0.75, 0.5), 3.0, 0.4, 11)
SKIN = Texture(Pattern.CHECKS, (0.9, 0.3, 0.2), (0.3, 0.1, 0.6), 3.0, 0.7, 5)
BLACK = Texture(Pattern.FLAT, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 1.0, 0.0, 0)
WHITE = Texture(Pattern.FLAT, (1.0, 1.0, 1.0), (1.0, 1.0, 1.0), 1.0, 0.0, 0)
STILL = Camera(Path((0.0, 0.0)))

PER_FRAME = 14.0
"""So many heights per unit of time are one height per frame."""


def disc(x: float, y: float, radius: float, *, right: float = 0.0, down: float = 0.0, texture: Texture = SKIN) -> Body:
    """A disc at (x, y) in frame 0 that moves so many picture heights per frame."""
    return Body(texture, Path((x, y), (right * PER_FRAME, down * PER_FRAME)), radius)


def scene_of(*bodies: Body, camera: Camera = STILL, background: Texture = GROUND, shadow: Shadow | None = None) -> Scene:
    """Without grain and with even light: what is drawn is what moves."""
    return Scene(background, bodies, camera, light=(0.0, 0.0), grain=0.0, seed=3, shadow=shadow or Shadow())


def bare(scene: Scene) -> Scene:
    """The scene without whatever makes a surface look different from frame to frame."""
    return replace(scene, light=(0.0, 0.0), grain=0.0, shadow=Shadow(), look=UNCHANGED)

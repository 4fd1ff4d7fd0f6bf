"""Edits of a scene. Rendering the edited scene gives the truth that a propagation is measured against."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from i2vedit_core.synthetic.scene import Body, Look, Path, Scene, random_color, random_texture
from i2vedit_core.synthetic.texture import Texture

EditFunction = Callable[[Scene, np.random.Generator], Scene]


def recolor(scene: Scene, draw: np.random.Generator) -> Scene:
    """The foremost body gets other colours; its pattern stays."""
    first, second = random_color(draw), random_color(draw)
    return _repaint_foremost(scene, replace(scene.bodies[-1].texture, first=first, second=second))


def retexture(scene: Scene, draw: np.random.Generator) -> Scene:
    """The foremost body gets another pattern and other colours."""
    return _repaint_foremost(scene, random_texture(draw, (2.0, 7.0)))


def background(scene: Scene, draw: np.random.Generator) -> Scene:
    """Everything behind the bodies is exchanged."""
    return replace(scene, background=random_texture(draw, (1.0, 5.0)))


def add(scene: Scene, draw: np.random.Generator) -> Scene:
    """A small thing is put on the foremost body and rides along."""
    carrier = len(scene.bodies) - 1
    spot = float(draw.uniform(-0.06, 0.06)), float(draw.uniform(-0.06, 0.06))
    rider = Body(
        texture=random_texture(draw, (2.0, 7.0)),
        path=Path(spot, (0.0, 0.0), (0.0, 0.0), 0.0, 0.0),
        radius=float(draw.uniform(0.08, 0.14)),
        aspect=float(draw.uniform(0.7, 1.4)),
        angle=float(draw.uniform(0, np.pi)),
        spin=0.0,
        lobes=(),
        rides_on=carrier,
    )
    return replace(scene, bodies=(*scene.bodies, rider))


def remove(scene: Scene, draw: np.random.Generator) -> Scene:
    """The foremost body goes away."""
    del draw
    return replace(scene, bodies=scene.bodies[:-1])


def look(scene: Scene, draw: np.random.Generator) -> Scene:
    """The whole picture is graded: gain per channel, gamma, saturation."""
    red, green, blue = (float(value) for value in draw.uniform(0.6, 1.3, 3))
    return replace(scene, look=Look((red, green, blue), float(draw.uniform(0.7, 1.5)), float(draw.uniform(0, 0.7))))


EDITS: dict[str, EditFunction] = {
    "recolor": recolor,
    "retexture": retexture,
    "background": background,
    "add": add,
    "remove": remove,
    "look": look,
}


def edit_scene(scene: Scene, name: str, seed: int) -> Scene:
    """The scene after the edit of that name; the same seed always paints the same."""
    return EDITS[name](scene, np.random.default_rng([seed, scene.seed]))


def _repaint_foremost(scene: Scene, texture: Texture) -> Scene:
    return replace(scene, bodies=(*scene.bodies[:-1], replace(scene.bodies[-1], texture=texture)))

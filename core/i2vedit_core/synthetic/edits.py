"""Edits of a scene. Rendering the edited scene gives the truth that a propagation is measured against."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from i2vedit_core.settings import EditKind
from i2vedit_core.synthetic.look import Look
from i2vedit_core.synthetic.scene import (
    BACKGROUND_FREQUENCY,
    BODY_FREQUENCY,
    Body,
    Path,
    Scene,
    random_color,
    random_lobes,
    random_texture,
)

EditFunction = Callable[[Scene, np.random.Generator], Scene]


def recolor(scene: Scene, draw: np.random.Generator) -> Scene:
    """The foremost body gets other colours; its pattern stays."""
    body = scene.bodies[scene.foremost]
    first, second = random_color(draw), random_color(draw)
    return _exchange(scene, replace(body, texture=replace(body.texture, first=first, second=second)))


def retexture(scene: Scene, draw: np.random.Generator) -> Scene:
    """The foremost body gets another pattern and other colours."""
    return _exchange(scene, replace(scene.bodies[scene.foremost], texture=random_texture(draw, BODY_FREQUENCY)))


def background(scene: Scene, draw: np.random.Generator) -> Scene:
    """Everything behind the bodies is exchanged."""
    return replace(scene, background=random_texture(draw, BACKGROUND_FREQUENCY))


def add(scene: Scene, draw: np.random.Generator) -> Scene:
    """A small thing is put on the foremost body and rides along."""
    spot = float(draw.uniform(-0.06, 0.06)), float(draw.uniform(-0.06, 0.06))
    rider = Body(
        texture=random_texture(draw, BODY_FREQUENCY),
        path=Path(spot),
        radius=float(draw.uniform(0.08, 0.14)),
        aspect=float(draw.uniform(0.7, 1.4)),
        angle=float(draw.uniform(0, np.pi)),
        rides_on=scene.foremost,
    )
    return replace(scene, bodies=(*scene.bodies, rider))


def remove(scene: Scene, draw: np.random.Generator) -> Scene:
    """The foremost body goes away, with its shadow and all that rides on it."""
    del draw
    return replace(scene, bodies=scene.bodies[: scene.foremost])


def shape(scene: Scene, draw: np.random.Generator) -> Scene:
    """The foremost body gets another outline; it moves as before."""
    body = scene.bodies[scene.foremost]
    lobes = (*random_lobes(draw), (int(draw.integers(3, 7)), float(draw.uniform(0.2, 0.4)), 0.0))
    return _exchange(scene, replace(body, radius=body.radius * float(draw.uniform(0.8, 1.25)), lobes=lobes))


def look(scene: Scene, draw: np.random.Generator) -> Scene:
    """The whole picture gets another look: a grade, a palette, or an ink-like filter."""
    red, green, blue = (float(value) for value in draw.uniform(0.6, 1.3, 3))
    graded = Look((red, green, blue), float(draw.uniform(0.7, 1.5)), float(draw.uniform(0, 0.7)))
    kind = draw.choice(["grade", "palette", "ink"])
    if kind == "palette":
        graded = replace(graded, palette=(random_color(draw), random_color(draw)))
    if kind == "ink":
        graded = replace(graded, ink=float(draw.uniform(0.5, 0.95)))
    return replace(scene, look=graded)


EDITS: dict[str, EditFunction] = {
    "recolor": recolor,
    "retexture": retexture,
    "background": background,
    "add": add,
    "remove": remove,
    "shape": shape,
    "look": look,
}

KINDS: dict[str, EditKind] = {
    "recolor": EditKind.LOCAL,
    "retexture": EditKind.LOCAL,
    "background": EditKind.STYLE,
    "add": EditKind.LOCAL,
    "remove": EditKind.SHAPE,
    "shape": EditKind.SHAPE,
    "look": EditKind.STYLE,
}
"""Which named setting an artist would choose for each."""


def edit_scene(scene: Scene, name: str, seed: int) -> Scene:
    """The scene after the edit of that name; the same seed always paints the same."""
    return EDITS[name](scene, np.random.default_rng([seed, scene.seed]))


def _exchange(scene: Scene, body: Body) -> Scene:
    """The same scene with another foremost body."""
    index = scene.foremost
    return replace(scene, bodies=(*scene.bodies[:index], body, *scene.bodies[index + 1 :]))

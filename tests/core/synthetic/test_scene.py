"""What random scenes hold: enough of everything, in every split what belongs there."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from i2vedit_core.settings import EditKind
from i2vedit_core.synthetic import EDITS, KINDS, Scene, Split, edit_scene, random_scene
from i2vedit_core.synthetic.scene import CLEAN_SHARE, Body
from i2vedit_core.synthetic.texture import Pattern


@cache
def _scenes(split: Split) -> list[Scene]:
    return [random_scene(split, index) for index in range(100)]


def _with_a(trait: Callable[[Body], bool]) -> Callable[[Scene], bool]:
    return lambda scene: any(map(trait, scene.bodies))


INGREDIENTS: dict[str, Callable[[Scene], bool]] = {
    "a pan": lambda scene: np.hypot(*scene.camera.path.drift) > 0.05,
    "a zoom": lambda scene: abs(scene.camera.zoom) > 0.05,
    "a roll": lambda scene: abs(scene.camera.roll) > 0.05,
    "a shaking hand": lambda scene: scene.camera.shake > 0.002,
    "a camera on a tripod": lambda scene: scene.camera.zoom == scene.camera.roll == scene.camera.shake == 0,
    "a limb": _with_a(lambda body: body.rides_on is not None and body.reach > 0 and body.joint[0] > 0.1),
    "a squash": _with_a(lambda body: body.squash[0] > 0.05),
    "a bend": _with_a(lambda body: body.bend > 0.01),
    "a rigid body": _with_a(lambda body: body.squash[0] == body.bend == 0),
    "a breathing outline": _with_a(lambda body: any(depth > 0.1 and rate > 0.1 for _, depth, rate in body.lobes)),
    "a spin": _with_a(lambda body: abs(body.spin) > 0.3),
    "a shadow": lambda scene: scene.shadow.strength > 0.1,
    "no shadow": lambda scene: scene.shadow.strength == 0,
    "light that changes": lambda scene: scene.light[0] > 0.05,
    "one body alone": lambda scene: len(scene.bodies) == 1,
    "three figures": lambda scene: sum(body.rides_on is None for body in scene.bodies) == 3,
}


@pytest.mark.parametrize("split", list(Split))
@pytest.mark.parametrize("name", INGREDIENTS)
def test_among_a_hundred_scenes_there_is(name: str, split: Split) -> None:
    """At least five, and not always."""
    assert 5 <= sum(map(INGREDIENTS[name], _scenes(split))) <= 95 or name == "a rigid body"


@pytest.mark.parametrize("split", list(Split))
def test_every_pattern_is_worn_and_stood_on(split: Split) -> None:
    assert {scene.background.pattern for scene in _scenes(split)} == set(Pattern)
    assert {body.texture.pattern for scene in _scenes(split) for body in scene.bodies} == set(Pattern)


def test_in_training_every_shot_has_grain() -> None:
    assert min(scene.grain for scene in _scenes(Split.TRAINING)) >= 0.002


@pytest.mark.parametrize("split", [Split.EVALUATION, Split.VERIFICATION])
def test_outside_training_some_shots_are_clean_and_flat(split: Split) -> None:
    """Flat as drawings are: no grain anywhere. The others have grain as in training."""
    clean = [scene for scene in _scenes(split) if scene.grain == 0]
    assert abs(len(clean) / 100 - CLEAN_SHARE) < 0.12
    assert all(scene.background.pattern is Pattern.FLAT for scene in clean)
    assert min(scene.grain for scene in _scenes(split) if scene.grain > 0) >= 0.002


def test_a_scene_is_known_by_its_split_and_number_alone() -> None:
    for split in Split:
        assert [random_scene(split, index) for index in (99, 0, 41)] == [_scenes(split)[index] for index in (99, 0, 41)]


def test_what_rides_comes_right_behind_what_carries_it() -> None:
    """`remove` cuts the list there."""
    for scene in (each for split in Split for each in _scenes(split)):
        for index, body in enumerate(scene.bodies):
            if body.rides_on is not None:
                assert scene.bodies[body.rides_on].rides_on is None
                assert all(between.rides_on == body.rides_on for between in scene.bodies[body.rides_on + 1 : index])
        assert all(body.rides_on == scene.foremost for body in scene.bodies[scene.foremost + 1 :])


def test_every_edit_has_its_named_setting() -> None:
    assert KINDS.keys() == EDITS.keys()
    assert all(isinstance(kind, EditKind) for kind in KINDS.values()) and set(KINDS.values()) == set(EditKind)


@pytest.mark.parametrize("name", sorted({"recolor", "retexture", "shape"} & EDITS.keys()))
def test_an_exchanged_body_moves_as_before(name: str) -> None:
    """Only what the edit is about differs, and of one body."""
    touched = {"recolor": ["texture"], "retexture": ["texture"], "shape": ["radius", "lobes"]}[name]
    for scene in _scenes(Split.TRAINING)[:30]:
        edited, index = edit_scene(scene, name, 3), scene.foremost
        before, after = scene.bodies[index], edited.bodies[index]
        assert after != before
        assert replace(after, **{field: getattr(before, field) for field in touched}) == before
        assert replace(edited, bodies=scene.bodies) == scene
        assert (*edited.bodies[:index], *edited.bodies[index + 1 :]) == (*scene.bodies[:index], *scene.bodies[index + 1 :])


def test_looks_are_grades_palettes_and_inks() -> None:
    looks = [edit_scene(scene, "look", 1).look for scene in _scenes(Split.EVALUATION)]
    palettes, inks = (
        [look for look in looks if trait(look)] for trait in (lambda look: look.palette is not None, lambda look: look.ink > 0)
    )
    assert min(len(palettes), len(inks), len(looks) - len(palettes) - len(inks)) > 10
    assert not [look for look in palettes if look.ink > 0]


def test_another_seed_paints_something_else() -> None:
    scene = _scenes(Split.EVALUATION)[0]
    for name in EDITS.keys() - {"remove"}:
        assert edit_scene(scene, name, 1) == edit_scene(scene, name, 1) != edit_scene(scene, name, 2)

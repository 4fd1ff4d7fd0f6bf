"""Procedural shots: the same every time, disjoint splits, edits whose truth is exact."""

import numpy as np
import pytest

from i2vedit_core.synthetic import EDITS, Split, edit_scene, random_scene, render


def test_the_same_seed_gives_the_same_pixels_at_any_cut() -> None:
    scene = random_scene(Split.TRAINING, 3)
    whole = render(scene, 48, 32, range(6))
    assert whole.shape == (6, 32, 48, 3) and whole.dtype == np.float32
    assert whole.min() >= 0 and whole.max() <= 1
    assert np.array_equal(whole[2:5], render(random_scene(Split.TRAINING, 3), 48, 32, range(2, 5)))


def test_splits_never_share_a_scene() -> None:
    """Nor the seed of its grain."""
    scenes = [random_scene(split, index) for split in Split for index in range(100)]
    assert len({repr(scene) for scene in scenes}) == len({scene.seed for scene in scenes}) == 300


@pytest.mark.parametrize("name", sorted(EDITS))
def test_an_edit_changes_what_it_says_and_leaves_the_rest_bit_equal(name: str) -> None:
    changed = []
    for index in range(6):
        scene = random_scene(Split.TRAINING, index)
        plate, truth = (render(each, 32, 32, range(0, 14, 12)) for each in (scene, edit_scene(scene, name, 1)))
        assert np.array_equal(truth, render(edit_scene(scene, name, 1), 32, 32, range(0, 14, 12)))
        changed.append((plate != truth).any(axis=-1).mean())
    assert max(changed) > 0.02
    if name in ("recolor", "retexture", "add", "remove"):
        assert min(changed) < 0.5  # a local edit leaves most of the picture alone

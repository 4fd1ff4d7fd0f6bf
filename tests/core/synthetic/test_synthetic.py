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
    scenes = {split: {repr(random_scene(split, index)) for index in range(40)} for split in Split}
    assert all(len(found) == 40 for found in scenes.values())
    assert not scenes[Split.TRAINING] & scenes[Split.EVALUATION]
    assert not scenes[Split.EVALUATION] & scenes[Split.VERIFICATION]


def test_every_shot_moves_and_has_grain() -> None:
    for index in range(12):
        clip = render(random_scene(Split.TRAINING, index), 32, 32, range(14))
        assert np.abs(clip[-1] - clip[0]).mean() > 0.002


@pytest.mark.parametrize("name", sorted(EDITS))
def test_an_edit_changes_what_it_says_and_leaves_the_rest_bit_equal(name: str) -> None:
    changed = []
    for index in range(8):
        scene = random_scene(Split.TRAINING, index)
        plate, truth = (render(each, 48, 48, range(0, 14, 6)) for each in (scene, edit_scene(scene, name, 1)))
        assert np.array_equal(truth, render(edit_scene(scene, name, 1), 48, 48, range(0, 14, 6)))
        changed.append((plate != truth).any(axis=-1).mean())
    assert max(changed) > 0.02
    if name in ("recolor", "retexture", "add", "remove"):
        assert min(changed) < 0.5  # a local edit leaves most of the picture alone


def _centre(first: np.ndarray, second: np.ndarray) -> np.ndarray | None:
    """Centre (row, column) of where two frames differ; None where that touches the picture's edge."""
    rows, columns = np.nonzero(np.abs(first - second)[0].max(axis=-1) > 0.01)
    if not len(rows) or min(rows.min(), columns.min()) == 0 or max(rows.max(), columns.max()) == 63:
        return None
    return np.array([rows.mean(), columns.mean()])


def test_an_added_thing_rides_on_what_carries_it() -> None:
    """Its distance from the carrier's centre stays what it was, while the carrier moves."""
    measured = 0
    for index in range(60):
        scene = random_scene(Split.TRAINING, index)
        for frame in (0, 12):
            plate, added, removed = (
                render(each, 64, 64, range(frame, frame + 1))
                for each in (scene, edit_scene(scene, "add", 1), edit_scene(scene, "remove", 1))
            )
            rider, carrier = _centre(added, plate), _centre(plate, removed)
            if rider is not None and carrier is not None:
                measured += 1
                assert np.linalg.norm(rider - carrier) < 0.2 * 64
    assert measured >= 20

"""Whether something new rides with the plate or moves on its own: the model is heard as far as it held what was painted."""

import numpy as np

from i2vedit_core.delivery.carry import Followed, nearest_regions, outline_depth
from i2vedit_core.delivery.vouching import Vouching, Word

SIDE = 64
HERE, THERE, ELSEWHERE = np.s_[8:24, 8:24], np.s_[40:56, 40:56], np.s_[8:24, 40:56]


def change(*places: tuple[slice, slice], strength: float = 1.0) -> np.ndarray:
    """[h, w, 3]: what was painted in these places."""
    found = np.zeros((SIDE, SIDE, 3), np.float32)
    for place in places:
        found[place] = strength * np.array((0.5, -0.2, 0.1), np.float32)
    return found


def on_still_ground() -> Followed:
    """A frame whose plate is the painted frame's."""
    rows, columns = np.indices((SIDE, SIDE), np.float32)
    flat, one = np.zeros((SIDE, SIDE), np.float32), np.ones((SIDE, SIDE), np.float32)
    return Followed(np.zeros((SIDE, SIDE, 3), np.float32), columns, rows, flat, flat, one, flat, np.zeros((SIDE, SIDE, 2), np.float32), one)


class Model:
    """Its words on one painted frame."""

    def __init__(self, painted: np.ndarray) -> None:
        self._vouching = Vouching(nearest_regions(outline_depth(np.asarray(painted.any(axis=-1)), 0)), painted)
        self._painted, self._followed = painted, on_still_ground()

    def says(self, told: np.ndarray, seen: bool = True) -> Word:
        return self._vouching.of(self._followed, self._painted, told, seen)


def test_a_model_that_lost_what_was_painted_at_once_is_not_asked() -> None:
    model = Model(change(HERE))
    for told in (change(HERE, strength=0.4), change(ELSEWHERE), change(HERE)):
        word = model.says(told)
        assert (word.carried == 1).all() and not word.heard.any(), "nor later"


def test_a_model_that_held_it_may_move_it_away() -> None:
    model = Model(change(HERE))
    assert model.says(change(HERE)).carried[HERE].min() > 0.99
    gone = model.says(change(ELSEWHERE))
    assert gone.carried[HERE].max() < 0.01 and gone.heard[HERE].min() == 1


def test_what_moves_a_little_at_once_was_not_lost() -> None:
    beside = np.s_[8:24, 10:26]
    assert Model(change(HERE)).says(change(beside)).heard[HERE].min() > 0.5


def test_a_model_whose_edit_fades_in_its_place_is_heard_no_longer() -> None:
    model = Model(change(HERE))
    heard = [model.says(change(HERE, strength=strength)).heard[HERE].max() for strength in (1.0, 0.9, 0.7, 1.0)]
    assert heard[0] == 1 and 0 < heard[1] < 1 and heard[2:] == [0, 0]


def test_each_region_is_judged_by_itself() -> None:
    model = Model(change(HERE, THERE))
    model.says(change(THERE))
    later = model.says(change())
    assert later.carried[HERE].min() == 1 and later.carried[THERE].max() < 0.01


def test_an_answer_that_was_carried_from_others_says_nothing_of_the_model() -> None:
    model = Model(change(HERE))
    assert (model.says(change(), seen=False).carried == 1).all(), "until the model has been heard, what is carried stands"
    assert model.says(change(HERE)).heard[HERE].min() == 1
    assert model.says(change(HERE, strength=0.3), seen=False).heard[HERE].min() == 1

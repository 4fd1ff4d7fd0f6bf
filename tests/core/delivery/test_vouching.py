"""Whether something new rides with the plate or moves on its own: the model is heard as far as it held what was painted."""

import numpy as np

from i2vedit_core.delivery.carry import Followed, outline_depth
from i2vedit_core.delivery.inside import nearest_regions
from i2vedit_core.delivery.vouching import Vouching

SIDE = 64
HERE, THERE, ELSEWHERE = np.s_[8:24, 8:24], np.s_[40:56, 40:56], np.s_[8:24, 40:56]


def change(*places: tuple[slice, slice], strength: float = 1.0) -> np.ndarray:
    """[h, w, 3]: what was painted in these places."""
    found = np.zeros((SIDE, SIDE, 3), np.float32)
    for place in places:
        found[place] = strength * np.float32((0.5, -0.2, 0.1))
    return found


def on_still_ground() -> Followed:
    """A frame whose plate is the painted frame's."""
    rows, columns = np.indices((SIDE, SIDE), np.float32)
    flat, one = np.zeros((SIDE, SIDE), np.float32), np.ones((SIDE, SIDE), np.float32)
    return Followed(np.zeros((SIDE, SIDE, 3), np.float32), columns, rows, flat, flat, one, flat, np.zeros((SIDE, SIDE, 2), np.float32), one)


def vouching(painted: np.ndarray) -> Vouching:
    return Vouching(nearest_regions(outline_depth(painted.any(axis=-1), 0)))


def test_a_model_that_lost_what_was_painted_at_once_is_not_asked() -> None:
    painted, followed = change(HERE), on_still_ground()
    model = vouching(painted)
    assert (model.of(followed, painted, change(HERE, strength=0.4), seen=True) == 1).all()
    assert (model.of(followed, painted, change(), seen=True) == 1).all(), "nor later"


def test_a_model_that_held_it_may_move_it_away() -> None:
    painted, followed = change(HERE), on_still_ground()
    model = vouching(painted)
    assert model.of(followed, painted, change(HERE), seen=True)[HERE].min() > 0.99
    assert model.of(followed, painted, change(ELSEWHERE), seen=True)[HERE].max() < 0.01


def test_each_region_is_judged_by_itself() -> None:
    painted, followed = change(HERE, THERE), on_still_ground()
    model = vouching(painted)
    model.of(followed, painted, change(THERE), seen=True)
    later = model.of(followed, painted, change(), seen=True)
    assert later[HERE].min() == 1 and later[THERE].max() < 0.01


def test_an_answer_that_was_carried_from_others_says_nothing_of_the_model() -> None:
    painted, followed = change(HERE), on_still_ground()
    model = vouching(painted)
    assert (model.of(followed, painted, change(), seen=False) == 1).all(), "until the model has been heard, what is carried stands"
    model.of(followed, painted, change(HERE, strength=0.3), seen=True)
    assert (model.of(followed, painted, change(), seen=True) == 1).all()

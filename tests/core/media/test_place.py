"""Crops, paddings and scalings are found; edits are not taken for them."""

import cv2
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from i2vedit_core.errors import BridgeError, Reason
from i2vedit_core.media.pixels import Picture
from i2vedit_core.media.place import check_place, displacement

RNG = np.random.default_rng(5)
SMOOTH = gaussian_filter(RNG.normal(0, 1, (200, 280, 3)), (3, 3, 0))
PLATE = np.clip(0.5 + SMOOTH / SMOOTH.std() * 0.2, 0, 1).astype(np.float32)
EVERYWHERE = np.ones(PLATE.shape[:2], np.bool_)


def painted_over(picture: Picture) -> Picture:
    painted = picture.copy()
    painted[30:110, 40:150] = (0.9, 0.1, 0.2)
    return painted


@pytest.mark.parametrize(("right", "down"), [(1, 0), (0, -1), (-2, 3), (7, 5), (-16, 8)])
def test_whole_pixels(right: int, down: int) -> None:
    found = displacement(PLATE, np.roll(painted_over(PLATE), (down, right), axis=(0, 1)))
    assert found is not None and (found.right, found.down) == (right, down)


@pytest.mark.parametrize(("right", "down"), [(0.5, 0.0), (1.5, -0.5)])
def test_parts_of_a_pixel(right: float, down: float) -> None:
    matrix = np.array([[1, 0, right], [0, 1, down]])
    moved = cv2.warpAffine(painted_over(PLATE), matrix, PLATE.shape[1::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    found = displacement(PLATE, np.asarray(moved, np.float32))
    assert found is not None and abs(found.right - right) < 0.2 and abs(found.down - down) < 0.2


def test_cropped_and_scaled_to_the_old_size() -> None:
    cropped = painted_over(PLATE)[:192, :272]
    back = np.asarray(cv2.resize(cropped, PLATE.shape[1::-1], interpolation=cv2.INTER_CUBIC), np.float32)
    found = displacement(PLATE, back)
    assert found is not None and abs(found.zoom_x - 280 / 272) < 0.005 and abs(found.zoom_y - 200 / 192) < 0.005
    with pytest.raises(BridgeError) as caught:
        check_place("edit.png", PLATE, back, EVERYWHERE)
    assert caught.value.reason is Reason.EDIT_SHIFTED and "larger or smaller" in caught.value.sentence


def test_the_sentence_says_which_way() -> None:
    with pytest.raises(BridgeError) as caught:
        check_place("edit.png", PLATE, np.roll(PLATE, (-1, 2), axis=(0, 1)), EVERYWHERE)
    assert "2 px to the right and 1 px up" in caught.value.sentence and caught.value.sentence.endswith(".")


def test_a_part_of_a_pixel_is_told_and_let_through() -> None:
    """Image models' own encoding and decoding moves a picture so far."""
    moved = cv2.warpAffine(
        PLATE, np.array([[1, 0, 0.7], [0, 1, 0]]), PLATE.shape[1::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    (notice,) = check_place("edit.png", PLATE, np.asarray(moved, np.float32), EVERYWHERE)
    assert "less than a pixel" in notice


@pytest.mark.parametrize("name", ["itself", "painted", "graded", "noisy", "repainted", "blurred", "mirrored"])
def test_edits_are_not_shifts(name: str) -> None:
    noise = gaussian_filter(np.random.default_rng(6).normal(0, 1, PLATE.shape), (3, 3, 0))
    edits = {
        "itself": PLATE,
        "painted": painted_over(PLATE),
        "graded": PLATE**1.6 * np.array([1.1, 0.8, 0.7]),
        "noisy": PLATE + np.random.default_rng(7).normal(0, 0.05, PLATE.shape),
        "repainted": 0.5 + noise / noise.std() * 0.2,
        "blurred": gaussian_filter(PLATE, (2, 2, 0)),
        "mirrored": PLATE[:, ::-1],
    }
    assert check_place("edit.png", PLATE, edits[name].astype(np.float32), EVERYWHERE) == ()


def test_even_pictures_lie_anywhere() -> None:
    even = np.full((64, 64, 3), 0.4, np.float32)
    assert displacement(even, even + np.float32(0.3)) is None
    assert displacement(even[:8, :8], even[:8, :8]) is None

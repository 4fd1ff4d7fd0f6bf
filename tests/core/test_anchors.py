"""What a later chunk begins with: the plate outside the edit, and inside what is surely followed."""

import numpy as np
import torch

from i2vedit_core.anchors import KeptAnchors, anchor_of
from i2vedit_core.delivery.patch import Patch
from i2vedit_core.media.fit import same_size
from i2vedit_core.method.chunks import plan_chunks
from i2vedit_core.pictures import to_pixels

SIDE = 32
LEFT, RIGHT = slice(0, 16), slice(16, 32)


def _plate() -> np.ndarray:
    return np.random.default_rng(0).random((SIDE, SIDE, 3), np.float32)


def _patch(plate: np.ndarray, sure: float) -> Patch:
    """White on the left half."""
    matte = np.zeros((SIDE, SIDE), np.float32)
    matte[:, LEFT] = 1
    return Patch(np.ones_like(plate), matte, 0.0, 0.0, np.full((SIDE, SIDE), sure, np.float32))


def test_outside_is_the_plate_and_inside_what_is_laid_over_it_as_far_as_that_is_sure() -> None:
    plate = _plate()
    anchor = anchor_of(same_size(SIDE, SIDE), plate, _patch(plate, sure=0.25))
    assert anchor.picture.shape == (1, 3, SIDE, SIDE) and anchor.weight.shape == (1, 1, SIDE, SIDE)
    torch.testing.assert_close(anchor.picture[..., RIGHT], to_pixels(plate[None])[..., RIGHT])
    torch.testing.assert_close(anchor.picture[..., LEFT], torch.ones_like(anchor.picture[..., LEFT]))
    torch.testing.assert_close(anchor.weight[..., RIGHT], torch.ones_like(anchor.weight[..., RIGHT]))
    torch.testing.assert_close(anchor.weight[..., LEFT], torch.full_like(anchor.weight[..., LEFT], 0.25))


def test_only_what_later_chunks_begin_with_is_kept_and_only_until_it_is_taken() -> None:
    plate, chunks = _plate(), plan_chunks(30, 14)
    anchors = KeptAnchors(same_size(SIDE, SIDE), {chunk.index: 100 + chunk.start for chunk in chunks[1:]})
    for position in range(1, 30):
        anchors.see(100 + position, plate, _patch(plate, 1.0))
    assert all(anchors.take(chunk) is not None for chunk in chunks[1:])
    assert all(anchors.take(chunk) is None for chunk in chunks[1:])

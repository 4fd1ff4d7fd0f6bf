"""The stride that is chosen by a shot's motion, on plates whose motion is known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from tests.media import LOSSLESS, encode

from i2vedit_core.errors import BridgeError, Reason
from i2vedit_core.pace import paced, stride_for
from i2vedit_core.settings import Settings
from i2vedit_core.shot import Shot

WIDTH, HEIGHT = 192, 128
CHUNK = 4


def _clip(folder: Path, step: int, frames: int = 21, rate: str = "24") -> Shot:
    """A texture that moves `step` pixels to the right in a frame."""
    spots = gaussian_filter(np.random.default_rng(0).standard_normal((HEIGHT, WIDTH + step * frames, 3)), (3, 3, 0))
    texture = np.clip(127 + 50 * spots / spots.std(), 0, 255).astype(np.uint8)
    pictures = [np.ascontiguousarray(texture[:, step * (frames - n) : step * (frames - n) + WIDTH]) for n in range(frames)]
    return Shot.open(encode(folder / "shot.mkv", pictures, LOSSLESS, rate=rate))


@pytest.mark.parametrize(("rate", "stride"), [("24", 3), ("30000/1001", 4), ("60", 4), ("8", 1)])
def test_a_calm_shot_is_seen_at_the_rate_of_the_model(rate: str, stride: int, tmp_path: Path) -> None:
    assert stride_for(_clip(tmp_path, 0, frames=37, rate=rate), CHUNK) == stride


def test_the_more_moves_out_of_the_picture_the_more_frames_are_seen(tmp_path: Path) -> None:
    strides = [stride_for(_clip(tmp_path, step), CHUNK) for step in (0, 6, 30)]
    assert strides == sorted(strides, reverse=True) and strides[0] > strides[-1] == 1


def test_it_is_no_larger_than_it_takes_for_as_few_chunks(tmp_path: Path) -> None:
    shot = _clip(tmp_path, 0)
    assert [stride_for(replace(shot, last=last), CHUNK) for last in (0, 3, 6, 9)] == [1, 1, 2, 3]


def test_only_a_stride_that_was_left_open_is_chosen(tmp_path: Path) -> None:
    shot = _clip(tmp_path, 0)
    assert paced(shot, Settings(stride=7), CHUNK) == Settings(stride=7)
    assert paced(shot, Settings(stride=None), CHUNK) == Settings(stride=3)


@pytest.mark.parametrize("stride", [0, -1, 17])
def test_a_stride_that_is_none_is_refused(stride: int) -> None:
    with pytest.raises(BridgeError) as refused:
        Settings(stride=stride)
    assert refused.value.reason is Reason.SETTING_INVALID and str(stride) in refused.value.sentence

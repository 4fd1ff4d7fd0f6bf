"""Two moments in one frame: noticed, refused by name, and made into whole frames on request, one for each."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.media import LOSSLESS, encode, shared_media

from i2vedit_core.errors import BridgeError, Reason
from i2vedit_core.media.clip import FieldOrder
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.media.probe import probe
from i2vedit_core.media.source import ClipSource
from i2vedit_core.shot import Shot

COUNT, WIDTH, HEIGHT = 12, 96, 64
STEP = 6
"""Pixels that the bar moves from frame to frame."""
FIELDS = {
    FieldOrder.TOP_FIRST: ("-c:v", "mpeg2video", "-pix_fmt", "yuv420p", "-q:v", "2", "-flags", "+ilme+ildct", "-top", "1"),
    FieldOrder.BOTTOM_FIRST: ("-c:v", "mpeg2video", "-pix_fmt", "yuv420p", "-q:v", "2", "-flags", "+ilme+ildct", "-top", "0"),
}


def bar(position: float) -> np.ndarray:
    """A white bar with soft edges on grey, `[H, W, 3] uint8`."""
    across = np.clip(8 - np.abs(np.arange(WIDTH) - position), 0, 1) * 150 + 60
    return np.broadcast_to(across[None, :, None], (HEIGHT, WIDTH, 3)).astype(np.uint8)


def interlaced(path: Path, order: FieldOrder) -> Path:
    """A bar that moves on between the fields of a frame."""
    frames = []
    for number in range(COUNT):
        first, second = bar(12 + number * STEP), bar(12 + (number + 0.5) * STEP)
        frame = first.copy()
        late = slice(1, None, 2) if order is FieldOrder.TOP_FIRST else slice(0, None, 2)
        frame[late] = second[late]
        frames.append(frame)
    setting = "tff" if order is FieldOrder.TOP_FIRST else "bff"
    return encode(
        path, frames, ("-vf", f"setfield={setting}", *FIELDS[order][:-2], "-field_order", "tt" if setting == "tff" else "bb"), "25"
    )


def combing(picture: np.ndarray) -> float:
    """How much neighbouring lines differ, where the lines beyond them do not."""
    green = picture[:, :, 1]
    return float(np.abs(2 * green[1:-1] - green[:-2] - green[2:]).mean())


@pytest.mark.parametrize("order", FIELDS)
def test_fields_are_noticed_and_refused(tmp_path: Path, order: FieldOrder) -> None:
    path = interlaced(tmp_path / "fields.mxf", order)
    clip = probe(path)
    assert clip.field_order is order and not clip.deinterlaced and "interlaced" in clip.notices[0]
    with pytest.raises(BridgeError) as caught:
        Shot.open(path)
    assert caught.value.reason is Reason.CLIP_INTERLACED
    assert str(order) in caught.value.sentence and "--deinterlace" in caught.value.sentence


def test_whole_frames_one_for_each(tmp_path: Path) -> None:
    path = interlaced(tmp_path / "fields.mxf", FieldOrder.TOP_FIRST)
    clip = ClipSource(path, deinterlace=True).open()
    assert clip.deinterlaced and clip.frame_count == COUNT and "whole frames" in clip.notices[0]
    woven = list(decode_frames(replace(clip, deinterlaced=False), 0, COUNT - 1))
    whole = list(decode_frames(clip, 0, COUNT - 1))
    for number in range(1, COUNT - 1):
        assert combing(whole[number]) < combing(woven[number]) / 3
        # The moment of a frame is that of its first field.
        profile = whole[number][:, :, 1].mean(axis=0)
        weight = profile - profile.min()
        assert abs((np.arange(WIDTH) * weight).sum() / weight.sum() - (12 + number * STEP)) < STEP / 4
    for number in (0, 5, COUNT - 1):
        (alone,) = decode_frames(clip, number, number)
        np.testing.assert_array_equal(alone, whole[number])


def test_clips_of_whole_frames_are_left_alone(tmp_path: Path) -> None:
    path = encode(tmp_path / "whole.mkv", [bar(20), bar(30)], LOSSLESS)
    clip = ClipSource(path, deinterlace=True).open()
    assert clip.field_order is FieldOrder.PROGRESSIVE and not clip.deinterlaced and not clip.notices
    assert clip == probe(path)


@pytest.mark.media
@pytest.mark.parametrize("name", ["stress/derived/h264_1080i5994_tff.mp4", "stress/derived/mpeg2_576i50_sar16x15.mxf"])
def test_real_fields(name: str) -> None:
    path = shared_media(name)
    clip = ClipSource(path, deinterlace=True).open()
    assert clip.field_order is FieldOrder.TOP_FIRST and clip.deinterlaced
    (woven,), (whole,) = decode_frames(replace(clip, deinterlaced=False), 8, 8), decode_frames(clip, 8, 8)
    assert combing(whole) < combing(woven)

"""Contact sheet and preview: what a person looks at first."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.media import read_number

from i2vedit_core.delivery.contact_sheet import CELL_WIDTH, PAINTED, choose_frames, make_contact_sheet
from i2vedit_core.delivery.delivered import seen_frames
from i2vedit_core.delivery.preview import make_preview
from i2vedit_core.delivery.sequence import SequenceWriter, describe_delivery, reserve_version
from i2vedit_core.delivery.ticket import Ticket
from i2vedit_core.errors import BridgeError
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.media.probe import probe
from i2vedit_core.settings import Alpha, DeliverySettings, Depth
from i2vedit_core.shot import Shot

ORANGE = np.array([1.0, 0.5, 0.0], np.float32)


def deliver(directory: Path, shot: Shot, ticket: Ticket, **settings: Any) -> Path:
    """The whole shot with the lower right quarter painted orange."""
    delivery = DeliverySettings(directory, **settings)
    ticket = replace(ticket, delivery=describe_delivery(shot.clip, delivery))
    matte = np.zeros((64, 96), np.float32)
    matte[32:, 48:] = 1
    folder = reserve_version(directory, shot.clip)
    with SequenceWriter(folder, shot.clip, delivery, ticket) as writer:
        for frame, plate in zip(range(shot.first, shot.last + 1), decode_frames(shot.clip, shot.first, shot.last), strict=True):
            writer.write(frame, plate, np.broadcast_to(ORANGE, plate.shape), matte)
    return folder


@pytest.mark.parametrize(
    "settings",
    [{}, {"alpha": Alpha.MATTE}, {"color_space": "linear", "depth": Depth.FLOAT}, {"alpha": Alpha.MATTE, "color_space": "ACEScg"}],
)
def test_every_kind_of_delivery_is_seen_alike(tmp_path: Path, shot: Shot, ticket: Ticket, settings: dict[str, Any]) -> None:
    folder = deliver(tmp_path, shot, ticket, **settings)
    for seen in seen_frames(folder, shot):
        assert read_number(seen.plate) == seen.frame
        # Half floats in a wide linear space leave about a hundredth near black, where the curve is steep.
        np.testing.assert_allclose(seen.result[40, 60], ORANGE, atol=0.015)
        np.testing.assert_allclose(seen.result[:, :40], seen.plate[:, :40], atol=4e-3)
        assert seen.matte[40, 60] == 1 and seen.matte[0, 0] == 0


def test_a_preview_has_the_rate_and_every_frame(tmp_path: Path, shot: Shot, ticket: Ticket) -> None:
    preview = make_preview(deliver(tmp_path, shot, ticket), shot)
    clip = probe(preview)
    assert (clip.frame_count, clip.rate, clip.codec, clip.pixel_format) == (6, shot.clip.rate, "h264", "yuv420p")
    # Pixels of 16:15 become square ones.
    assert (clip.width, clip.height, clip.pixel_aspect) == (102, 64, Fraction(1))
    assert (clip.matrix, clip.primaries, clip.transfer, clip.full_range) == ("bt709", "bt709", "bt709", False)
    for frame, picture in zip(range(2, 8), decode_frames(clip, 0, 5), strict=True):
        assert read_number(picture) == frame
        np.testing.assert_allclose(picture[44:56, 70:90].mean(axis=(0, 1)), ORANGE, atol=0.04)
    assert sorted(path.name for path in preview.parent.iterdir() if path.suffix != ".exr") == ["preview.mp4", "ticket.json"]


def test_a_contact_sheet_shows_and_marks(tmp_path: Path, shot: Shot, ticket: Ticket) -> None:
    folder = deliver(tmp_path, shot, ticket)
    sheet = Image.open(make_contact_sheet(folder, shot, [shot.first]))
    assert sheet.width > 6 * CELL_WIDTH
    codes = np.asarray(sheet).reshape(-1, 3)
    assert (codes == PAINTED).all(axis=1).sum() > 1000
    assert (np.abs(codes - ORANGE * 255).max(axis=1) < 8).sum() > 5000
    assert make_contact_sheet(folder, shot, [shot.first]).exists()


@pytest.mark.parametrize(
    ("first", "last", "keys", "chosen"),
    [
        (0, 0, [0], [0]),
        (0, 3, [0], [0, 1, 2, 3]),
        (0, 50, [0], [0, 10, 20, 30, 40, 50]),
        (0, 50, [23], [0, 10, 23, 30, 40, 50]),
        (100, 101, [101], [100, 101]),
        (0, 50, [23, 27], [0, 10, 23, 27, 40, 50]),
        (0, 50, [1, 2, 3, 4, 5, 6, 7], [0, 1, 2, 3, 4, 50]),
    ],
)
def test_frames_are_chosen_evenly(first: int, last: int, keys: list[int], chosen: list[int]) -> None:
    assert choose_frames(first, last, keys) == chosen


def test_a_missing_frame_is_named(tmp_path: Path, shot: Shot, ticket: Ticket) -> None:
    folder = deliver(tmp_path, shot, ticket)
    (folder / f"{folder.name}.0004.exr").unlink()
    with pytest.raises(BridgeError, match=r"0004\.exr"):
        list(seen_frames(folder, shot))

"""What is delivered of a sequence of pictures: its numbers, its windows, and its bits."""

from pathlib import Path

import numpy as np
import OpenEXR
import pytest

from i2vedit_core.delivery.delivered import seen_frames
from i2vedit_core.delivery.sequence import SequenceWriter, reserve_version
from i2vedit_core.delivery.ticket import Ticket
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.settings import DeliverySettings
from i2vedit_core.shot import Shot

WINDOW = (np.array([-8, 4], np.int32), np.array([55, 51], np.int32))
"""Of the display: 64x48, from (-8, 4)."""


@pytest.fixture
def plates(tmp_path: Path) -> Shot:
    """`plate.1001.exr` and `plate.1002.exr`: half, with alpha, values beyond 0..1, and a data window inside the display's."""
    for number in (1001, 1002):
        draw = np.random.default_rng(number)
        channels = {name: draw.normal(0.5, 1, (40, 50)).astype(np.float16) for name in "RGB"}
        channels["A"] = draw.random((40, 50)).astype(np.float16)
        data = (np.array([0, 6], np.int32), np.array([49, 45], np.int32))
        header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage, "dataWindow": data, "displayWindow": WINDOW}
        with OpenEXR.File(header, channels) as file:
            file.write(str(tmp_path / f"plate.{number}.exr"))
    return Shot.open(tmp_path / "plate.####.exr")


def test_where_nothing_was_painted_the_bits_are_the_plates(tmp_path: Path, plates: Shot, ticket: Ticket) -> None:
    folder = reserve_version(tmp_path / "out", plates.clip)
    empty = np.zeros((48, 64), np.float32)
    with SequenceWriter(folder, plates.clip, DeliverySettings(tmp_path / "out"), ticket) as writer:
        for number, plate in zip((1001, 1002), decode_frames(plates.clip, 1001, 1002), strict=True):
            path = writer.write(number, plate, np.zeros((48, 64, 3), np.float32), empty)
            assert path == tmp_path / "out" / "plate_v001" / f"plate_v001.{number}.exr"
            _check_same(path, tmp_path / f"plate.{number}.exr")
    for seen, plate in zip(seen_frames(folder, plates), decode_frames(plates.clip, 1001, 1002), strict=True):
        np.testing.assert_array_equal(seen.result, plate[:, :, :3])


def _check_same(delivered: Path, source: Path) -> None:
    """Windows and every channel's bits, as the OpenEXR library reads both."""
    with OpenEXR.File(str(delivered), separate_channels=True) as file, OpenEXR.File(str(source), separate_channels=True) as original:
        header = file.header()
        for window in ("displayWindow", "dataWindow"):
            np.testing.assert_array_equal(header[window], WINDOW)
        for name in "RGBA":
            pixels = file.channels()[name].pixels
            assert pixels.dtype == np.float16
            inside = pixels[2:42, 8:58]
            np.testing.assert_array_equal(inside.view(np.uint16), original.channels()[name].pixels.view(np.uint16))
            assert np.count_nonzero(pixels) == np.count_nonzero(inside)

"""Outside the matte not a bit of the plate changes, whatever it is made of; read back by the OpenEXR library."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
from tests.media import encode

from i2vedit_core.delivery.deliver import Deliverer
from i2vedit_core.delivery.inside import Filling
from i2vedit_core.delivery.matting import ChunkPictures
from i2vedit_core.delivery.painted import Painted
from i2vedit_core.delivery.sequence import SequenceWriter, reserve_version
from i2vedit_core.delivery.ticket import Ticket
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.media.fit import same_size
from i2vedit_core.media.pixels import Picture
from i2vedit_core.settings import DeliverySettings, EditKind
from i2vedit_core.shot import Shot

HEIGHT, WIDTH, FRAMES = 64, 96, 4
BLOCK = np.s_[20:44, 30:60]


def _clip(path: Path, bits: int) -> Path:
    """Every code value that fits, in noise, in planes of so many bits."""
    draw = np.random.default_rng(bits)
    codes = draw.integers(0, 1 << bits, (FRAMES, HEIGHT, WIDTH, 3)).astype(np.uint8 if bits == 8 else np.uint16)
    pixels = "gbrp" if bits == 8 else f"gbrp{bits}le"
    planes = codes.transpose(0, 3, 1, 2)
    return encode(path, np.ascontiguousarray(planes).reshape(FRAMES, HEIGHT, WIDTH, 3), ("-c:v", "ffv1"), pixels=pixels)


def _deliver(shot: Shot, plates: list[Picture], folder: Path, ticket: Ticket) -> list[Path]:
    """With a block of the first frame made brighter, and a model that keeps it so."""
    shown = np.stack([np.nan_to_num(plate[..., :3], nan=0.5, posinf=0.5, neginf=0.5).clip(0, 1) for plate in plates])
    edited = shown.copy()
    edited[(slice(None), *BLOCK)] += 0.3
    chunk = ChunkPictures(edited, shown, np.full(shown.shape[:3], 0.1, np.float32))
    fit, painted = same_size(HEIGHT, WIDTH), Painted(shown[0], edited[0], frame=shot.first)
    with SequenceWriter(reserve_version(folder, shot.clip), shot.clip, DeliverySettings(folder), ticket) as writer:
        deliverer = Deliverer(shot, fit, Filling(EditKind.LOCAL), writer)
        patcher = deliverer.patcher(painted, chunk.frame(0))
        patched = deliverer.patches(range(shot.first + 1, shot.last + 1), chunk.part(slice(1, None)).frames(), patcher, painted)
        return [path for _, path in (deliverer.painted_frame(painted), *(deliverer.lay_over(*each) for each in patched))]


def _read(path: Path) -> tuple[np.ndarray, np.ndarray, int]:
    with OpenEXR.File(str(path), separate_channels=True) as file:
        channels = {name: channel.pixels.copy() for name, channel in file.channels().items()}
        return np.stack([channels[name] for name in "RGB"], axis=2), channels["matte.A"], int(file.header()["i2vedit/repaired"])


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_plates_of_whole_numbers(bits: int, ticket: Ticket, tmp_path: Path) -> None:
    shot = Shot.open(_clip(tmp_path / "plate.mkv", bits))
    plates = list(decode_frames(shot.clip, 0, FRAMES - 1))
    for path, plate in zip(_deliver(shot, plates, tmp_path / "out", ticket), plates, strict=True):
        colour, matte, repaired = _read(path)
        outside = matte == 0
        assert 0 < outside.sum() < outside.size and repaired == 0
        assert colour.dtype == (np.float32 if bits > 10 else np.float16)
        assert colour[outside].tobytes() == plate[outside].astype(colour.dtype).tobytes()


def test_float_plates_with_pixels_that_are_no_numbers(ticket: Ticket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values far above 1 and below 0, infinity, and NaN with a payload; some of them inside the edit."""
    whole = Shot.open(_clip(tmp_path / "plate.mkv", 12))
    shot = replace(whole, clip=replace(whole.clip, bit_depth=32))
    draw = np.random.default_rng(1)
    plates = [draw.normal(0.5, 0.3, (HEIGHT, WIDTH, 3)).astype(np.float32) for _ in range(FRAMES)]
    payload = np.asarray(0x7FC12345, np.uint32).view(np.float32)
    for plate in plates:
        plate[2, 3], plate[5, 6, 1], plate[7, 8] = 4e4, -np.inf, payload
        plate[30, 40], plate[31, 45, 2] = payload, np.inf
    monkeypatch.setattr("i2vedit_core.delivery.deliver.decode_along", lambda clip, frames: (plates[frame] for frame in frames))
    for path, plate in zip(_deliver(shot, plates, tmp_path / "out", ticket), plates, strict=True):
        colour, matte, repaired = _read(path)
        outside = matte == 0
        assert outside[2, 3] and outside[5, 6] and outside[7, 8] and not outside[30, 40]
        assert colour[outside].tobytes() == plate[outside].tobytes()
        assert np.isfinite(colour[~outside]).all() and repaired == 2

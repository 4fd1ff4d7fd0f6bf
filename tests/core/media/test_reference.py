"""The numbers of a decode against another implementation: zimg's, in floating point, told matrix and range."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.media import encode_planes

from i2vedit_core.media.decode import decode_frames
from i2vedit_core.media.ffmpeg import find_ffmpeg
from i2vedit_core.media.probe import probe

WIDTH, HEIGHT = 256, 64
TOLERANCE = 1 / 1023
NAMES = {"bt709": "709", "smpte170m": "170m", "bt2020nc": "2020_ncl"}


def smooth(bits: int, subsampling: str) -> list[NDArray[np.generic]]:
    """Planes that change slowly, with colours that stay inside the RGB cube."""
    down, across = {"444": (1, 1), "422": (1, 2), "420": (2, 2)}[subsampling]
    planes = []
    for plane, (middle, swing, turn) in enumerate([(126, 90, 0.0), (128, 24, 1.0), (128, 24, 2.0)]):
        rows, columns = (np.arange(0, n, step if plane else 1) for n, step in ((HEIGHT, down), (WIDTH, across)))
        wave = np.sin(columns[None, :] / WIDTH * 5 + turn) * np.cos(rows[:, None] / HEIGHT * 2 + turn)
        planes.append(np.rint((middle + swing * wave) * (1 << (bits - 8))).astype(np.uint8 if bits == 8 else np.uint16))
    return planes


def by_zimg(path: Path, matrix: str, full: bool) -> NDArray[np.float32]:
    """`[H, W, 3]`, as ffmpeg's zscale filter makes it of the first frame."""
    told = f"zscale=matrixin={NAMES[matrix]}:rangein={'full' if full else 'limited'}:matrix=gbr:range=full:filter=bilinear,format=gbrpf32le"
    command = [find_ffmpeg(), "-v", "error", "-i", str(path), "-vf", told, "-frames:v", "1", "-f", "rawvideo", "pipe:1"]
    raw = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True).stdout
    green, blue, red = np.frombuffer(raw, "<f4").reshape(3, HEIGHT, WIDTH)
    return np.stack([red, green, blue], axis=2)


@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize(
    ("bits", "subsampling", "matrix"), [(8, "420", "smpte170m"), (10, "422", "bt709"), (10, "420", "bt2020nc"), (12, "444", "bt709")]
)
def test_smooth_content(tmp_path: Path, bits: int, subsampling: str, matrix: str, full: bool) -> None:
    pixels = f"yuv{subsampling}p" + ("" if bits == 8 else f"{bits}le")
    path = encode_planes(tmp_path / "smooth.mkv", smooth(bits, subsampling), pixels, f"colorspace={matrix}:range={'pc' if full else 'tv'}")
    (ours,) = decode_frames(probe(path), 0, 0)
    # At the edges the two guess differently what chroma would be beyond them.
    inner = (slice(4, -4), slice(4, -4))
    assert np.abs(ours[inner] - by_zimg(path, matrix, full)[inner]).max() <= TOLERANCE


@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
def test_a_ramp_of_ten_bits_keeps_its_steps(tmp_path: Path, full: bool) -> None:
    codes = np.arange(1024)
    luma = np.broadcast_to(codes.astype(np.uint16), (8, 1024)).copy()
    chroma = np.full((8, 512), 512, np.uint16)
    path = encode_planes(tmp_path / "ramp.mkv", [luma, chroma, chroma], "yuv422p10le", f"colorspace=bt709:range={'pc' if full else 'tv'}")
    (frame,) = decode_frames(probe(path), 0, 0)
    assert len(np.unique(frame[4, :, 1])) == 1024
    np.testing.assert_allclose(frame[4, :, 1], codes / 1023 if full else (codes - 64) / 876, atol=1e-6)

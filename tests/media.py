"""Test clips made with ffmpeg, whose frames say which they are, and the way to the shared media folder."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from i2vedit_core.media.ffmpeg import find_ffmpeg

REPOSITORY = Path(__file__).resolve().parents[1]
NUMBER_BITS = 8
H264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast", "-bf", "2")
LOSSLESS = ("-c:v", "ffv1")


def shared_media(name: str) -> Path:
    """A file of the shared media folder; skips the test where it is not there."""
    root = Path(os.environ.get("I2VEDIT_MEDIA", REPOSITORY.parent / "shared" / "media"))
    path = root / name
    if not path.exists():
        pytest.skip(f"{name} is not in the shared media folder ({root}); set I2VEDIT_MEDIA")
    return path


def numbered_frame(number: int, width: int = 96, height: int = 64) -> NDArray[np.uint8]:
    """A grey picture whose upper half spells `number` in black and white blocks: `[H, W, 3] uint8`."""
    frame = np.full((height, width, 3), 90 + number % 8 * 10, np.uint8)
    block = width // NUMBER_BITS
    for bit in range(NUMBER_BITS):
        frame[: height // 2, bit * block : (bit + 1) * block] = 235 if number >> bit & 1 else 20
    return frame


def read_number(picture: NDArray[np.float32]) -> int:
    """The number that a decoded `numbered_frame` spells."""
    height, width = picture.shape[:2]
    block = width // NUMBER_BITS
    strip = picture[height // 8 : height // 4, :, 1].mean(axis=0)
    return sum(1 << bit for bit in range(NUMBER_BITS) if strip[bit * block + block // 4 : (bit + 1) * block - block // 4].mean() > 0.5)


def encode(
    path: Path,
    frames: Sequence[NDArray[np.uint8]] | NDArray[np.uint8],
    options: Sequence[str] = H264,
    rate: str = "24",
    pixels: str = "rgb24",
) -> Path:
    """Encodes frames `[H, W, C]` with ffmpeg; `pixels` says what they hold."""
    height, width = frames[0].shape[:2]
    source = ["-f", "rawvideo", "-pix_fmt", pixels, "-s", f"{width}x{height}", "-r", rate, "-i", "pipe:0"]
    command = [find_ffmpeg(), "-y", "-v", "error", *source, *options, f"file:{path}"]
    subprocess.run(command, input=b"".join(frame.tobytes() for frame in frames), check=True)
    return path


def encode_planes(path: Path, planes: Sequence[NDArray[np.generic]], pixels: str, tags: str = "range=tv") -> Path:
    """One lossless frame of exactly these code values; the first plane sets the size, `tags` are those of `setparams`."""
    height, width = planes[0].shape
    source = ["-f", "rawvideo", "-pix_fmt", pixels, "-s", f"{width}x{height}", "-r", "24", "-i", "pipe:0"]
    # The encoder would ask for limited range, and get the codes converted to it.
    keep = ["-color_range", "pc" if "range=pc" in tags else "tv"]
    command = [
        find_ffmpeg(),
        "-y",
        "-v",
        "error",
        *source,
        "-vf",
        f"setparams={tags}",
        *LOSSLESS,
        *keep,
        "-pix_fmt",
        pixels,
        f"file:{path}",
    ]
    subprocess.run(command, input=b"".join(plane.tobytes() for plane in planes), check=True)
    return path


def numbered_clip(path: Path, count: int = 12, options: Sequence[str] = H264, rate: str = "24") -> Path:
    """A clip of `numbered_frame`s."""
    return encode(path, [numbered_frame(number) for number in range(count)], options, rate)


def numbered_pictures(folder: Path, first: int, count: int) -> Path:
    """`numbered_frame`s as `shot.1001.png` and so on; gives their pattern."""
    frames = [numbered_frame(number) for number in range(first, first + count)]
    return encode(folder / "shot.%04d.png", frames, ("-f", "image2", "-start_number", str(first)))

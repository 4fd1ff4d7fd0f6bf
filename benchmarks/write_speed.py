"""How fast 4K frames are delivered and checked, against plain OpenImageIO writing of the same arrays, and in how much memory.

    python benchmarks/write_speed.py [--frames 240] [--size 4096x2160] [--out docs/performance/delivery.md]

Frames are drawn one at a time and not kept, as those of a shot are. Each way is a process of its own, so that its largest resident set
is its own.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio

from i2vedit_core.delivery.form import CHANNELS
from i2vedit_core.delivery.sequence import SequenceWriter, describe_delivery, reserve_version
from i2vedit_core.delivery.ticket import Ticket
from i2vedit_core.media.pixels import Picture
from i2vedit_core.media.probe import ClipInfo, Orientation
from i2vedit_core.settings import DeliverySettings
from peak import peak_bytes

WAYS = ("plain", "delivered")
BOUND_BYTES = 3 * 10**9
"""What the largest resident set may be, however many frames there are."""


@dataclass(frozen=True)
class Run:
    """What one way took."""

    way: str
    frames: int
    seconds: float
    """Spent writing; drawing the frames is left out."""
    cpu_seconds: float
    """Of all threads meanwhile: what other programs on the machine do matters less to it."""
    peak_bytes: int
    file_bytes: int


def drawn_frames(width: int, height: int, frames: int) -> Iterator[tuple[Picture, Picture, Picture]]:
    """Plate, new picture and matte of each frame: a ramp with grain of ten bits, which compresses as footage does, moving a little."""
    generator = np.random.default_rng(0)
    ramp = np.linspace(0.1, 0.9, width, dtype=np.float32)[None, :, None] * np.linspace(0.5, 1, height, dtype=np.float32)[:, None, None]
    grain = generator.normal(0, 0.01, (height, width, 3)).astype(np.float32)
    matte = np.zeros((height, width), np.float32)
    matte[height // 4 : height // 2, width // 4 : width // 2] = 1
    for frame in range(frames):
        plate = np.rint((ramp + np.roll(grain, frame * 7, axis=1)) * 1023) / np.float32(1023)
        yield plate, np.ascontiguousarray(plate[:, :, ::-1]), matte


def clip_of(width: int, height: int, frames: int) -> ClipInfo:
    """A ten-bit clip that is nowhere on disk: only what a delivery asks of it."""
    return ClipInfo(
        path=Path("plate.mov"),
        width=width,
        height=height,
        rate=Fraction(24),
        frame_count=frames,
        codec="prores",
        pixel_format="yuv422p10le",
        planar_format="yuv422p10le",
        bit_depth=10,
        full_range=False,
        matrix="bt709",
        primaries="bt709",
        transfer="bt709",
        pixel_aspect=Fraction(1),
        start_timecode="01:00:00:00",
        has_alpha=False,
        orientation=Orientation(),
        stream_index=0,
        container="mov",
        time_base=Fraction(1, 24),
        timestamps=(),
        keyframes=(),
    )


class Clock:
    """Adds up what its blocks take."""

    def __init__(self) -> None:
        self.seconds = self.cpu_seconds = 0.0

    def __enter__(self) -> None:
        self._began, self._cpu_began = time.perf_counter(), time.process_time()

    def __exit__(self, *error: object) -> None:
        self.seconds += time.perf_counter() - self._began
        self.cpu_seconds += time.process_time() - self._cpu_began


def write_plain(folder: Path, width: int, height: int, frames: int, clock: Clock) -> None:
    """Half-float ZIP by OpenImageIO alone: no composite, no header, no second look, no flush."""
    for number, (plate, _, matte) in enumerate(drawn_frames(width, height, frames)):
        pixels = np.concatenate((plate, np.ones_like(matte)[:, :, None], matte[:, :, None]), axis=2)
        with clock:
            _write_plain_frame(folder / f"plain.{number:04}.exr", pixels)


def _write_plain_frame(path: Path, pixels: Picture) -> None:
    height, width, channels = pixels.shape
    spec = oiio.ImageSpec(width, height, channels, oiio.HALF)
    spec.channelnames = CHANNELS
    spec.attribute("compression", "zip")
    output: Any = oiio.ImageOutput.create("openexr")
    if not (output.open(str(path), spec) and output.write_image(pixels) and output.close()):
        raise OSError(output.geterror())


def write_delivered(folder: Path, width: int, height: int, frames: int, clock: Clock) -> None:
    """As a job does: composited, headed, read back, flushed, renamed."""
    clip, settings = clip_of(width, height, frames), DeliverySettings(folder)
    with SequenceWriter(reserve_version(folder, clip), clip, settings, _ticket(clip, settings)) as writer:
        for number, (plate, new, matte) in enumerate(drawn_frames(width, height, frames)):
            with clock:
                writer.write(number, plate, new, matte)


def _ticket(clip: ClipInfo, settings: DeliverySettings) -> Ticket:
    return Ticket(
        plate_path=str(clip.path),
        plate_sha256="0" * 64,
        first=0,
        last=clip.frame_count - 1,
        edit_path="edit.png",
        edit_sha256="0" * 64,
        edit_frame=0,
        model="mini",
        model_sha256="0" * 64,
        settings={},
        delivery=describe_delivery(clip, settings),
        seed=0,
        device="cpu",
        dtype="float32",
        threads=1,
        versions={},
        created="",
    )


def _run_here(way: str, folder: Path, width: int, height: int, frames: int) -> Run:
    clock = Clock()
    (write_plain if way == "plain" else write_delivered)(folder, width, height, frames, clock)
    return Run(way, frames, clock.seconds, clock.cpu_seconds, peak_bytes(), sum(path.stat().st_size for path in folder.rglob("*.exr")))


def measure(way: str, width: int, height: int, frames: int, scratch: Path | None = None) -> Run:
    """One way in a process of its own; its files are gone afterwards."""
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        arguments = [sys.executable, __file__, "--run", way, "--scratch", name, "--frames", str(frames), "--size", f"{width}x{height}"]
        told = subprocess.run(arguments, check=True, stdout=subprocess.PIPE, text=True).stdout
    return Run(**json.loads(told))


def page(plain: Run, delivered: Run, size: str) -> str:
    """The page, with the command that makes it."""
    is_busy = plain.seconds > 2 * plain.cpu_seconds
    note = (
        "\nThe machine was busy with other programs meanwhile: the time of the processor says more than that of the clock.\n"
        if is_busy
        else ""
    )
    ratio, cpu_ratio = delivered.seconds / plain.seconds, delivered.cpu_seconds / plain.cpu_seconds
    return f"""# Writing 4K frames

{delivered.frames} frames of {size}, half float, ZIP, R G B A and matte.A, on {os.cpu_count()} cores. *Plain* hands the same arrays to
OpenImageIO and does nothing more. *Delivered* is what a job does: it composites, writes the whole header, reads the file back to its
last pixel, flushes it to the disk and only then gives it its name.

| | seconds a frame | of the processor | frames a second | largest resident set, GB | MB a frame |
|---|---|---|---|---|---|
{_row("plain OpenImageIO", plain)}
{_row("delivered", delivered)}

A delivered frame takes **{ratio:.2f} times** as long as a plain one, and {cpu_ratio:.2f} times the processor.
Memory does not grow with the number of frames.
{note}
Made by `python benchmarks/write_speed.py --frames {delivered.frames} --size {size} --out docs/performance/delivery.md`.
"""


def _row(name: str, run: Run) -> str:
    seconds, cpu_seconds = run.seconds / run.frames, run.cpu_seconds / run.frames
    sizes = f"{run.peak_bytes / 1e9:.2f} | {run.file_bytes / 1e6 / run.frames:.1f}"
    return f"| {name} | {seconds:.2f} | {cpu_seconds:.2f} | {1 / seconds:.2f} | {sizes} |"


def main(arguments: list[str]) -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=240)
    parser.add_argument("--size", default="4096x2160", metavar="WxH")
    parser.add_argument("--scratch", type=Path, help="Folder on the disk to be written to.")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--run", choices=WAYS, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    width, height = map(int, chosen.size.split("x"))
    if chosen.run:
        print(json.dumps(_run_here(chosen.run, chosen.scratch, width, height, chosen.frames).__dict__))
        return
    plain, delivered = (measure(way, width, height, chosen.frames, chosen.scratch) for way in WAYS)
    text = page(plain, delivered, chosen.size)
    if chosen.out:
        chosen.out.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main(sys.argv[1:])

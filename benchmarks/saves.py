"""How soon a save in the paint program is a job: `i2vedit roundtrip` on drawn clips, watched from outside.

    python benchmarks/saves.py [--sizes 1280x720 3840x2160] [--saves 6] [--model mini]

Prints a table and writes docs/performance/saves.md. A save is a new file renamed over the old one, as Photoshop does it. The first save's
job runs meanwhile, so the worker trains beside all others. The server had been started, as it is by the export of the frame.
"""

import argparse
import json
import os
import platform
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
import psutil

from i2vedit_client.roundtrip.folder import REST_SECONDS
from i2vedit_core.locations import DATA_FOLDER_VARIABLE
from i2vedit_core.media.ffmpeg import find_ffmpeg
from i2vedit_core.media.picture_file import write_picture
from report import markdown, write_page_text

ROOT = Path(__file__).resolve().parents[1]
FRAMES = 14
GOAL_SECONDS = 1.0
WAIT_SECONDS = 600.0
BETWEEN_SECONDS = 2.0
"""An artist looks at what was saved."""


@dataclass(frozen=True)
class Event:
    """A line of the command."""

    at: float
    told: dict[str, Any]


class Trip:
    """A running `i2vedit roundtrip` and what it has told."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process, self._events = process, list[Event]()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self._events.append(Event(time.time(), json.loads(line)))

    def heard(self, what: str, count: int = 1) -> Event:
        """The event that makes it so many of this name, or that tell this fact. Raises TimeoutError."""
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end:
            found = [event for event in self._events if event.told["event"] == what or what in event.told]
            if len(found) >= count:
                return found[count - 1]
            if self._process.poll() is not None:
                raise SystemExit(f"The round trip ended: {self._events[-1].told if self._events else 'it told nothing'}")
            time.sleep(0.005)
        raise TimeoutError(what)


def measure(size: str, saves: int, model: str, folder: Path) -> list[float]:
    """Seconds from the last write of each save to its job."""
    folder.mkdir()
    clip = folder / "shot.mp4"
    picture = f"testsrc2=size={size}:rate=24:duration={FRAMES / 24}"
    drawing = [find_ffmpeg(), "-v", "error", "-f", "lavfi", "-i", picture, "-pix_fmt", "yuv420p", f"file:{clip}"]
    subprocess.run(drawing, check=True, stdin=subprocess.DEVNULL)
    with _roundtrip(clip, model, folder) as trip:
        frame = Path(trip.heard("frame_file").told["path"])
        trip.heard("waiting")
        exported = np.array(oiio.ImageBuf(str(frame)).get_pixels(oiio.UINT16))
        return [_saved(trip, exported, frame, number) for number in range(saves)]


def _saved(trip: Trip, exported: Any, frame: Path, number: int) -> float:
    painted, (height, width, channels) = exported.copy(), exported.shape
    painted[height // 3 : height // 2, width // 3 : width // 2, :3] = (60_000, 5_000 * number, 5_000)
    spec = oiio.ImageSpec(width, height, channels, oiio.UINT16)
    spec.attribute("compression", "zip")
    beside = frame.with_name("~save.tmp")
    write_picture(beside, "tiff", spec, painted, replace=True)
    os.replace(beside, frame)
    at = time.time()
    made = trip.heard("saved", number + 1).at - at
    time.sleep(BETWEEN_SECONDS)
    return made


@contextmanager
def _roundtrip(clip: Path, model: str, folder: Path) -> Iterator[Trip]:
    """With a server of its own, which goes with it."""
    surroundings = {**os.environ, DATA_FOLDER_VARIABLE: str(folder / "data")}
    words = ["roundtrip", str(clip), "--editor", "none", "--model", model, "--out", str(folder / "out"), "--json"]
    process = subprocess.Popen([sys.executable, "-m", "i2vedit_client", *words], stdout=subprocess.PIPE, text=True, env=surroundings)
    try:
        yield Trip(process)
    finally:
        process.terminate()
        process.wait()
        for server in _servers_of(folder / "data"):
            server.terminate()
            server.wait()


def _servers_of(data: Path) -> list[psutil.Process]:
    return [each for each in psutil.process_iter(["cmdline"]) if str(data) in (each.info["cmdline"] or ())]


def page(command: str, found: dict[str, list[float]]) -> str:
    rows = [
        [size, f"{seconds[0]:.2f}", f"{statistics.median(seconds[1:]):.2f}", f"{max(seconds):.2f}", f"≤ {GOAL_SECONDS + REST_SECONDS:g}"]
        for size, seconds in found.items()
    ]
    saves = len(next(iter(found.values())))
    text = (
        f"Seconds from the moment that the paint program has saved to the moment that the job is made, of {saves} saves, while the worker "
        f"trains for the first of them. {REST_SECONDS:g} s of each are the rest that a file must keep before it counts."
    )
    machine = f"Machine: {platform.machine()} CPU, {psutil.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}."
    heads = ["plate", "first save", "later saves (median)", "longest", "goal"]
    return "\n\n".join(["# From save to job", f"Made by `{command}`.", machine, text, markdown(heads, rows)])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", nargs="+", default=["1280x720", "3840x2160"], help="width x height of the plates")
    parser.add_argument("--saves", type=int, default=6)
    parser.add_argument("--model", default="mini")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "performance", help="where the page goes")
    options = parser.parse_args(arguments)
    work = Path(tempfile.mkdtemp())
    try:
        found = {size: measure(size, options.saves, options.model, work / size) for size in options.sizes}
    finally:
        shutil.rmtree(work)
    command = shlex.join(["python", "benchmarks/saves.py", *(sys.argv[1:] if arguments is None else arguments)])
    made = page(command, found)
    write_page_text(options.out / "saves.md", made)
    print(made)


if __name__ == "__main__":
    main()

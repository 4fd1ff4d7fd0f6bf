"""Frames of the plate, fetched from the server one by one into a folder that is emptied of the oldest (docs/decisions/0032)."""

import glob
import hashlib
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import platformdirs
from PySide6.QtCore import QObject, Signal

from i2vedit_client.client import Client
from i2vedit_client.errors import ClientError
from i2vedit_client.remote import PICTURES
from i2vedit_client.spec import Reading, clip_ref
from i2vedit_monitor.link.calls import Calls

LARGEST_FOLDER = 4 * 10**9
_NUMBER = re.compile(r"(%\d*d|#+|\d+)\.\w+$")


def plate_folder(clip: str, video_stream: int = 0) -> Path:
    """Where frames of these very files are kept: others under the same name have another folder. For threads: it looks at each file.

    `video_stream` counts from 1; 0: the one that the file prefers.
    """
    try:
        stats = [(path.name, path.stat()) for path in _files(Path(clip))]
    except OSError:
        stats = []
    marks = "\n".join([clip, str(video_stream), *(f"{name}|{status.st_size}|{status.st_mtime_ns}" for name, status in stats)])
    return cache_folder() / hashlib.sha256(marks.encode("utf-8", "surrogateescape")).hexdigest()[:24]


def _files(clip: Path) -> list[Path]:
    """What a clip is made of: a movie, or the pictures that a folder, a pattern (`shot.%04d.exr`) or one of them stands for."""
    if clip.is_dir():
        return sorted(path for path in clip.iterdir() if path.suffix.lower() in PICTURES)
    number = _NUMBER.search(clip.name)
    if number is None or clip.suffix.lower() not in PICTURES:
        return [clip]
    return sorted(clip.parent.glob(f"{glob.escape(clip.name[: number.start()])}*{glob.escape(clip.suffix)}"))


def cache_folder() -> Path:
    return platformdirs.user_cache_path("i2vedit", appauthor=False) / "monitor-plates"


def trim(folder: Path, most_bytes: int = LARGEST_FOLDER) -> None:
    """Removes the clips that were looked at longest ago, until the rest takes at most so much."""
    if not folder.is_dir():
        return
    clips = sorted((entry for entry in folder.iterdir() if entry.is_dir()), key=lambda entry: -entry.stat().st_mtime)
    total = 0
    for clip in clips:
        total += sum(file.stat().st_size for file in clip.iterdir())
        if total > most_bytes:
            shutil.rmtree(clip, ignore_errors=True)


class Plates(QObject):
    """Fetches the wanted frames of one clip, the most urgent first, one call at a time."""

    arrived = Signal(str, int)
    """Clip and source frame number."""
    failed = Signal(str)
    """A sentence; nothing more of this clip is tried."""

    def __init__(self, calls: Calls) -> None:
        super().__init__()
        self._calls = calls
        self._clip, self._video_stream, self._folder = "", 0, Path()
        self._wanted: list[int] = []
        self._busy = False
        calls.do(lambda: trim(cache_folder()), lambda _: None)

    def want(self, clip: str, video_stream: int, folder: Path, frames: Iterable[int]) -> None:
        """Replaces what was wanted before. `folder`: where the clip's frames are kept, see `plate_folder`."""
        self._clip, self._video_stream, self._folder = clip, video_stream, folder
        self._wanted = [frame for frame in frames if not (folder / f"{frame}.exr").exists()]
        self._go_on()

    def _go_on(self) -> None:
        if self._busy or not self._wanted:
            return
        self._busy = True
        clip, stream, frame = self._clip, self._video_stream, self._wanted.pop(0)
        path = self._folder / f"{frame}.exr"
        self._calls.ask(
            lambda client: fetch_plate(client, clip, frame, path, stream),
            lambda _: self._came(clip, frame),
            lambda sentence: self._went_wrong(clip, sentence),
        )

    def _came(self, clip: str, frame: int) -> None:
        self._busy = False
        self.arrived.emit(clip, frame)
        self._go_on()

    def _went_wrong(self, clip: str, sentence: str) -> None:
        self._busy = False
        if clip == self._clip:
            self._wanted = []
        self.failed.emit(sentence)
        self._go_on()


def fetch_plate(client: Client, clip: str, frame: int, path: Path, video_stream: int = 0) -> None:
    """Has a frame written where it is kept. Raises ServerError, OSError."""
    # An interlaced clip has no other frames to look at; clips of whole frames are left as they are.
    seen = Reading(deinterlace=True, video_stream=video_stream)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        client.extract_frame(clip_ref(clip, 0, 0, seen), frame, str(path))
    except ClientError:
        if not path.exists():  # another window may have fetched it meanwhile
            raise

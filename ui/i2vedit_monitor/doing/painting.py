"""From a frame of the plate to a painted one: exported with the shot's preparation, opened in an editor, seen when it is saved.

`Painting.begin` is the one place where a round trip with a host's own editor takes over: see `opener`.
"""

import os
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices

from i2vedit_client.client import Client
from i2vedit_client.spec import clip_ref, clip_stem, shot_spec
from i2vedit_monitor.link.calls import Calls
from i2vedit_monitor.model.draft import Draft

LOOK_MILLISECONDS = 800
Opener = Callable[[str], object]


def open_in_editor(path: str) -> bool:
    """With whatever this machine opens such a picture."""
    return QDesktopServices.openUrl(QUrl.fromLocalFile(path))


def free_path(draft: Draft) -> Path:
    """Where the frame is written: a name that is not taken, since nothing is overwritten."""
    assert draft.clip is not None
    folder = Path(draft.out) / "paint"
    stem = f"{clip_stem(draft.clip.path)}_frame{draft.key:04}"
    number = 1
    while (path := folder / (f"{stem}.tif" if number == 1 else f"{stem}_{number}.tif")).exists():
        number += 1
    return path


class Painting(QObject):
    """One frame at a time is out for painting."""

    exported = Signal(str)
    """Path of the picture, which the editor opens now."""
    saved = Signal(str)
    """It was saved: it is another file than the one that was exported."""
    failed = Signal(str)

    def __init__(self, calls: Calls, opener: Opener = open_in_editor) -> None:
        """`opener` gets the path of the exported picture."""
        super().__init__()
        self._calls, self._opener = calls, opener
        self._path = ""
        self._seen: tuple[int, int] | None = None
        self._timer = QTimer(self, interval=LOOK_MILLISECONDS)
        self._timer.timeout.connect(self._look)

    def begin(self, draft: Draft) -> None:
        """Exports the frame to paint and has the shot prepared meanwhile."""
        self._timer.stop()
        self._calls.ask(lambda client: _export(client, draft), self._opened, self.failed.emit)

    def _opened(self, path: str) -> None:
        self._path, self._seen = path, _mark(path)
        self.exported.emit(path)
        self._opener(path)
        self._timer.start()

    def _look(self) -> None:
        mark = _mark(self._path)
        if mark is not None and mark != self._seen and mark[0] > 0:
            self._seen = mark
            self.saved.emit(self._path)


def _export(client: Client, draft: Draft) -> str:
    assert draft.clip is not None
    path = free_path(draft)
    path.parent.mkdir(parents=True, exist_ok=True)
    client.extract_frame(clip_ref(draft.clip.path, 0, 0, draft.reading), draft.key, str(path), shot_spec(draft.shot_options()))
    return str(path)


def _mark(path: str) -> tuple[int, int] | None:
    """Size and time of a file; editors write a new one in its place, which is gone for a moment."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns

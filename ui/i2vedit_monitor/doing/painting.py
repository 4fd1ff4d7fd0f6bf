"""From a frame of the plate to a painted one: exported with the shot's preparation, opened in an editor, seen when it is saved.

`Painting.begin` is the one place where a round trip with a host's own editor takes over: see `opener`.
"""

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices

from i2vedit_client.client import Client
from i2vedit_client.errors import ClientError
from i2vedit_client.events import Event
from i2vedit_client.host.session import REFERENCE_FILE
from i2vedit_client.roundtrip.watch import SaveWatch
from i2vedit_client.spec import clip_ref, clip_stem, shot_spec
from i2vedit_monitor.link.calls import Calls
from i2vedit_monitor.model.draft import ClipFacts, Draft

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
    while (path := folder / (f"{stem}.tif" if number == 1 else f"{stem}_{number}.tif")).exists() or saves_folder(path).exists():
        number += 1
    return path


def saves_folder(picture: Path) -> Path:
    """Where its saves are kept as they were, beside the plate's frame: painting on in the picture changes no job that waits."""
    return picture.with_name(f"{picture.stem}_saves")


class Painting(QObject):
    """One frame at a time is out for painting."""

    exported = Signal(str)
    """Path of the picture, which the editor opens now."""
    saved = Signal(str)
    """It was saved with other pixels, here or in another format beside it: path of the copy that is kept."""
    failed = Signal(str)

    def __init__(self, calls: Calls, opener: Opener = open_in_editor) -> None:
        """`opener` gets the path of the exported picture."""
        super().__init__()
        self._calls, self._opener = calls, opener
        self._over = threading.Event()
        """Set where the saves of the picture that is out now are no longer waited for."""
        self._frame: tuple[ClipFacts | None, int] = (None, 0)

    def begin(self, draft: Draft) -> None:
        """Exports the frame to paint and has the shot prepared meanwhile."""
        self.stop()
        self._frame = draft.clip, draft.key
        self._calls.ask(lambda client: _export(client, draft), self._opened, self.failed.emit)

    def is_of(self, draft: Draft) -> bool:
        """Whether the picture that is out is the frame which this draft wants painted."""
        return self._frame == (draft.clip, draft.key)

    def stop(self) -> None:
        """Waits for saves no longer. Comes back at once."""
        self._over.set()

    def _opened(self, path: str) -> None:
        self.stop()
        self._over = threading.Event()
        self.exported.emit(path)
        self._opener(path)
        threading.Thread(target=self._watch, args=(Path(path), self._over), name="saves", daemon=True).start()

    def _watch(self, picture: Path, over: threading.Event) -> None:
        """Runs in a thread of its own; what it emits is queued into the window's."""

        def tell(event: Event) -> None:
            if event["event"] == "refused" and not over.is_set():
                self.failed.emit(event["message"])

        def take(kept: Path, path: Path, seen: Event) -> None:
            if not over.is_set():
                self.saved.emit(str(kept))

        folder = saves_folder(picture)
        try:
            SaveWatch(picture, folder / REFERENCE_FILE, folder, tell, take).run(over.is_set)
        except (ClientError, OSError) as error:
            if not over.is_set():
                self.failed.emit(str(error))


def _export(client: Client, draft: Draft) -> str:
    assert draft.clip is not None
    path = free_path(draft)
    path.parent.mkdir(parents=True, exist_ok=True)
    client.extract_frame(clip_ref(draft.clip.path, 0, 0, draft.reading), draft.key, str(path), shot_spec(draft.shot_options()))
    saves_folder(path).mkdir()
    shutil.copyfile(path, saves_folder(path) / REFERENCE_FILE)
    return str(path)

"""Waits for saves of a picture: each is copied, the copy is read, and one that decodes and changes pixels counts (docs/decisions/0028)."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

from i2vedit_client.events import Event
from i2vedit_client.roundtrip import versions
from i2vedit_client.roundtrip.examiner import Examiner
from i2vedit_client.roundtrip.folder import POLL_SECONDS, REST_SECONDS, SaveFolder, Signature, signature

PATIENCE_SECONDS = 5.0
"""So long a picture that does not decode may still be on its way over a slow network."""

OnSave = Callable[[Path, Path, Event], None]


class SaveWatch:
    """Watches a picture, and what is saved under its name in another format."""

    def __init__(self, picture: Path, reference: Path, folder: Path, tell: Callable[[Event], None], on_save: OnSave) -> None:
        """`reference` is the picture before anything was painted; saves that count are kept in `folder`.

        `on_save` gets what was kept, the file that it came from, and what was seen in it; `tell` hears of everything else.
        """
        self._picture, self._reference, self._kept = picture, reference, folder
        self._tell, self._on_save = tell, on_save
        self._folder = SaveFolder(picture)
        self._known: set[Path] = set()
        self._now = threading.Event()

    def take_now(self) -> None:
        """Has the picture count as it is, changed or not. May be called from another thread."""
        self._now.set()
        self._folder.again()

    def run(self, stopped: Callable[[], bool]) -> None:
        """Until it is stopped. Raises ClientError where pictures cannot be read at all."""
        last = versions.saves(self._kept)
        with Examiner(self._reference, last[-1] if last else None) as examiner:
            self._tell({"event": "waiting", "path": str(self._picture)})
            while not stopped():
                for path, found in self._folder.quiet():
                    self._consider(examiner, path, found)
                time.sleep(POLL_SECONDS)

    def _consider(self, examiner: Examiner, path: Path, found: Signature) -> None:
        try:
            copy = versions.take(self._kept, path, found)
        except OSError:
            return  # moved away or held for a moment; the next look decides
        if copy is None:
            return
        seen = examiner.look(copy)
        if "message" in seen:
            self._unreadable(path, found, seen)
            return
        if not self._rests(path, found):
            return  # written on: what was read of it says nothing
        self._folder.handled(path, found)
        if seen["changed"]:
            examiner.count()
        if seen["changed"] and seen.get("share") == 0:
            self._tell({"event": "unpainted", "path": str(path)})
        elif seen["changed"] or self._now.is_set():
            self._now.clear()
            self._on_save(versions.keep(self._kept, copy), path, seen)
        elif path in self._known:
            self._tell({"event": "unchanged", "path": str(path)})
        self._known.add(path)

    def _rests(self, path: Path, found: Signature) -> bool:
        """Waits until the file has been at rest for long enough; False where it does not stay as it was found."""
        while signature(path) == found:
            if self._folder.resting_seconds(path) >= REST_SECONDS:
                return True
            time.sleep(POLL_SECONDS / 4)
        return False

    def _unreadable(self, path: Path, found: Signature, seen: Event) -> None:
        """Said once, and only when it has stayed so for a while."""
        if self._folder.resting_seconds(path) >= PATIENCE_SECONDS:
            self._folder.handled(path, found)
            self._tell({"event": "refused", "path": str(path), "reason": seen["reason"], "message": seen["message"]})

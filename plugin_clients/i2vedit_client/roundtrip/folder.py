"""Notices saves in a folder by looking at it: network drives send no events, and looking works everywhere (docs/decisions/0028)."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

POLL_SECONDS = 0.15
REST_SECONDS = 0.4
"""A file that has kept its size and times for so long counts. Should it be half written all the same, it does not decode."""
QUIET_SECONDS = 0.1
"""From here on it is looked at, so that what it holds is known when it counts."""
SUFFIXES = frozenset({".tif", ".tiff", ".psd", ".psb", ".png", ".exr", ".jpg", ".jpeg"})

Signature = tuple[int, int, int]
"""Size, time of the last change in nanoseconds, and file number: a rename over the old name changes the last alone."""


@dataclass
class _Seen:
    signature: Signature
    since: float
    handled: bool = False


def signature(path: Path) -> Signature | None:
    """None while an editor has moved the file away."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns, status.st_ino


class SaveFolder:
    """The folder of one picture. The artist may also save it as another format beside it, layers and all."""

    def __init__(self, picture: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder, self._stem, self._clock = picture.parent, picture.stem, clock
        self._seen: dict[Path, _Seen] = {}

    def quiet(self) -> list[tuple[Path, Signature]]:
        """Files that have changed since they were last handled, and did not while two looks were taken. Oldest change first."""
        now = self._clock()
        for path in self._candidates():
            self._look(path, now)
        ready = [(path, seen) for path, seen in self._seen.items() if not seen.handled and now - seen.since >= QUIET_SECONDS]
        return [(path, seen.signature) for path, seen in sorted(ready, key=lambda item: item[1].signature[1])]

    def handled(self, path: Path, found: Signature) -> None:
        """Nothing more is to be done about this state of the file. If it has changed again meanwhile, that is another save."""
        seen = self._seen.get(path)
        if seen is not None and seen.signature == found:
            seen.handled = True

    def again(self) -> None:
        """Every file is to be handled once more, as it is."""
        for seen in self._seen.values():
            seen.handled = False

    def resting_seconds(self, path: Path) -> float:
        """How long the file has been as it was seen last."""
        return self._clock() - self._seen[path].since

    def _candidates(self) -> list[Path]:
        try:
            names = os.listdir(self._folder)
        except OSError:
            return []  # a network drive that is away for a moment
        paths = (self._folder / name for name in names)
        return [path for path in paths if path.stem == self._stem and path.suffix.lower() in SUFFIXES]

    def _look(self, path: Path, now: float) -> None:
        found = signature(path)
        if found is None or not found[0]:
            self._seen.pop(path, None)
            return
        seen = self._seen.get(path)
        if seen is None or seen.signature != found:
            self._seen[path] = _Seen(found, now)

"""Waiting for the moment of a kill. Nothing in the product helps: the folders are watched from outside."""

import time
from collections.abc import Callable
from pathlib import Path

TIGHT_SECONDS = 0.0005
"""A file of a small job is written in a few milliseconds."""
RELAXED_SECONDS = 0.05
"""Between two looks that cost more: the jobs need the processor themselves."""
UNFINISHED = ".i2vedit-*.part"


def wait_until(come: Callable[[], bool], over: Callable[[], bool], seconds: float, poll_seconds: float = TIGHT_SECONDS) -> bool:
    """Whether the moment has come; False where it cannot come any more. Raises TimeoutError."""
    end, look = time.monotonic() + seconds, 0.0
    while not come():
        now = time.monotonic()
        if now > end:
            raise TimeoutError(f"nothing went on for {seconds:.0f} s")
        if now > look:
            if over():
                return False
            look = now + RELAXED_SECONDS
        time.sleep(poll_seconds)
    return True


def unfinished(root: Path, pattern: str) -> set[Path]:
    """Files below `root` that somebody writes, or left."""
    return set(root.glob(f"{pattern}/{UNFINISHED}"))


class NewFile:
    """True as soon as somebody begins to write a file in a folder of this kind."""

    def __init__(self, root: Path, pattern: str) -> None:
        self._root, self._pattern = root, pattern
        self._known = unfinished(root, pattern)

    def __call__(self) -> bool:
        return bool(unfinished(self._root, self._pattern) - self._known)


class Changes:
    """True as soon as a file has changed so many times."""

    def __init__(self, path: Path, count: int) -> None:
        self._path, self._left = path, count
        self._last = self._look()

    def __call__(self) -> bool:
        now = self._look()
        if now != self._last:
            self._last = now
            self._left -= 1
        return self._left <= 0

    def _look(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return None
        return status.st_size, status.st_mtime_ns

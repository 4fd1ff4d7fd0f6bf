"""Reading frames from a process that might hang: it gets so much time for each, then it is killed, which shows as a short read."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import Popen
from typing import IO

FRAME_SECONDS = 120.0
"""How long one frame may take, the decode of what lies before it included."""


@contextmanager
def _watched(process: Popen[bytes]) -> Iterator[None]:
    watchdog = threading.Timer(FRAME_SECONDS, process.kill)
    watchdog.daemon = True
    watchdog.start()
    try:
        yield
    finally:
        watchdog.cancel()


def read_exactly(process: Popen[bytes], pipe: IO[bytes], size: int) -> bytes:
    """So many bytes, or less where the process ended or was ended."""
    with _watched(process):
        return pipe.read(size)


def read_line(process: Popen[bytes], pipe: IO[bytes]) -> bytes:
    """A line with its end, or without it where the process ended or was ended."""
    with _watched(process):
        return pipe.readline()

"""A small disk of its own for a test, and what fills it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

BALLAST = ".ballast"
BLOCK = 4096

MakeDisk = Callable[[Path, int], Path]


@contextmanager
def small_disks() -> Iterator[MakeDisk]:
    """Mounts a disk of so many bytes at a folder. Skips the test where that is not allowed."""
    mounted: list[Path] = []

    def make(folder: Path, size: int) -> Path:
        if sys.platform != "linux" or os.geteuid() != 0:
            pytest.skip("only root on Linux can mount a small disk")
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"mounting is not allowed here: {done.stderr.decode().strip()}")
        mounted.append(folder)
        return folder

    try:
        yield make
    finally:
        for folder in mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=False)


def fill(disk: Path) -> Path:
    """Takes all that is left of a disk; remove the file and there is room again."""
    ballast = disk / BALLAST
    with ballast.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(bytes(BLOCK))
        except OSError:
            return ballast

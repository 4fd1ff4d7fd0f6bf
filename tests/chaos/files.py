"""Looking at what lies under final names, with readers other than the product's."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import OpenEXR
from safetensors.numpy import load_file

Digest = dict[int, str]
"""Frame number to a hash over every channel's values."""


def frame_digest(path: Path) -> str:
    """Reads a frame whole by the OpenEXR library itself. Raises where it cannot."""
    digest = hashlib.sha256()
    with OpenEXR.File(str(path), separate_channels=True) as file:
        for name, channel in sorted(file.channels().items()):
            digest.update(f"{name} {channel.pixels.dtype} {channel.pixels.shape}".encode())
            digest.update(channel.pixels.tobytes())
    return digest.hexdigest()


def sequence_digest(folder: Path) -> Digest:
    """Of every frame of a version folder."""
    return {int(path.suffixes[-2][1:]): frame_digest(path) for path in sorted(folder.glob("*.exr"))}


class FinalNames:
    """Everything under a final name below some folders: each file is read once, as soon as it is seen."""

    def __init__(self, *roots: Path) -> None:
        self._roots = roots
        self._read: set[tuple[Path, int, int]] = set()
        self.count = 0
        self.broken: list[str] = []

    def check(self) -> None:
        """Reads what is new."""
        for path in [path for root in self._roots for path in root.rglob("*") if path.suffix in _READERS]:
            try:
                status = path.stat()
                if (path, status.st_ino, status.st_mtime_ns) not in self._read:
                    _READERS[path.suffix](path)
                    self._read.add((path, status.st_ino, status.st_mtime_ns))
                    self.count += 1
            except FileNotFoundError:
                continue  # a checkpoint that a newer one replaced
            except Exception as error:  # noqa: BLE001 - whatever a reader says against a file is what is looked for
                if path.exists():
                    self.broken.append(f"{path.name}: {error}")


def _read_json(path: Path) -> None:
    json.loads(path.read_text(encoding="utf-8"))


_READERS: dict[str, Callable[[Path], object]] = {".exr": frame_digest, ".safetensors": load_file, ".json": _read_json}


def frames_of(directory: Path) -> dict[Path, tuple[int, int]]:
    """The frames under final names below a job's output folder, and which files they are."""
    found = {}
    for path in directory.glob("*/*.exr"):
        status = path.stat()
        found[path] = (status.st_ino, status.st_mtime_ns)
    return found

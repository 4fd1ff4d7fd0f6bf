"""What a clip holds, as one number: the ticket and the artifact cache know media by content, not by name."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from i2vedit_core.media.clip import ClipInfo


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes in hexadecimal; reads it in pieces. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_plate(clip: ClipInfo, first: int, last: int) -> str:
    """Of a movie: of its file. Of a sequence: of the numbers and the SHA-256 of the pictures from `first` to `last`. Raises OSError."""
    if clip.files is None:
        return sha256_of(clip.path)
    return sha256_of_frames({number: clip.files.path(number) for number in range(first, last + 1)})


def sha256_of_frames(files: Mapping[int, Path]) -> str:
    """Of numbered pictures: of the numbers and their SHA-256, in order. Raises OSError."""
    digest = hashlib.sha256()
    for number, path in sorted(files.items()):
        digest.update(f"{number} {sha256_of(path)}\n".encode())
    return digest.hexdigest()


def stamp_of_plate(clip: ClipInfo, first: int, last: int) -> str:
    """Size and time of what is read for these frames: tells plates apart without reading them. Raises OSError."""
    paths = [clip.path] if clip.files is None else [clip.files.path(number) for number in range(first, last + 1)]
    stats = [path.stat() for path in paths]
    stamps = "\n".join(f"{path.name} {status.st_size} {status.st_mtime_ns}" for path, status in zip(paths, stats, strict=True))
    return hashlib.sha256(stamps.encode("utf-8", "surrogateescape")).hexdigest()

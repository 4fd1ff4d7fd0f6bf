"""What lies on disk."""

from pathlib import Path


def bytes_in(folder: Path) -> int:
    """Of all files below."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())

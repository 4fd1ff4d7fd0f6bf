"""What is expensive to make of a source, kept on disk under a key of all that it was made of, and found again by whoever needs the same:
the job after a kill, the full run after a preview, the second edit of a shot."""

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from i2vedit_core.files import remove_leftovers, whole_file, write_error

if TYPE_CHECKING:
    from torch import Tensor

Key = Mapping[str, Any]
"""JSON values: two keys that are equal as JSON mean the same artifact."""

KEY_FILE = "key.json"
_NAME_CHARACTERS = 32
_NAME = re.compile(rf"\w+-[0-9a-f]{{{_NAME_CHARACTERS}}}")
"""Whatever else lies in a folder that somebody chose for artifacts is not ours to remove."""
_LEFTOVER_SECONDS = 3600.0
"""Another worker may be writing the same artifact just now."""


@dataclass(frozen=True)
class Artifacts:
    """A folder of artifacts, each in a folder of its own whose name is the hash of its key."""

    root: Path

    def folder(self, kind: str, key: Key) -> Path:
        """Where an artifact lies or is to be written; from now on the youngest. Raises BridgeError DISK_FULL or OUTPUT_NOT_WRITABLE."""
        text = json.dumps({"kind": kind, **key}, sort_keys=True, indent=1).encode()
        folder = self.root / f"{kind}-{hashlib.sha256(text).hexdigest()[:_NAME_CHARACTERS]}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_error(folder, error) from error
        remove_leftovers(folder, _LEFTOVER_SECONDS)
        if not (folder / KEY_FILE).exists():
            with whole_file(folder / KEY_FILE, len(text), replace=True) as partial:
                partial.write_bytes(text)
        os.utime(folder)
        return folder

    def trim(self, limit_bytes: int, needed: Set[str] = frozenset(), youngest_seconds: float = 0.0) -> None:
        """Removes the artifacts that were used longest ago, until the rest fits. Those named in `needed`, and those used within the last
        `youngest_seconds`, stay even if it does not."""
        ours = (folder for folder in self.root.glob("*-*") if _NAME.fullmatch(folder.name) and folder.is_dir())
        folders = sorted(ours, key=lambda folder: folder.stat().st_mtime)
        sizes = {folder: sum(map(_bytes_of, folder.iterdir())) for folder in folders}
        total = sum(sizes.values())
        for folder in folders:
            if total <= limit_bytes:
                return
            if folder.name in needed or (youngest_seconds and folder.stat().st_mtime > time.time() - youngest_seconds):
                continue
            shutil.rmtree(folder, ignore_errors=True)
            total -= sizes[folder]

    def byte_count(self, names: Iterable[str]) -> int | None:
        """What these artifacts take on disk; None where one of them is gone."""
        folders = [self.root / name for name in names]
        try:
            return sum(file.stat().st_size for folder in folders for file in folder.iterdir())
        except OSError:
            return None

    def remove(self, names: Iterable[str]) -> None:
        """Those of them that are there."""
        for name in names:
            shutil.rmtree(self.root / name, ignore_errors=True)


def _bytes_of(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0  # somebody else's, who has just given it its final name


def tensor_sha256(tensor: "Tensor") -> str:
    """Hash of a tensor's values, type and shape."""
    digest = hashlib.sha256(f"{tensor.dtype} {list(tensor.shape)}".encode())
    digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()

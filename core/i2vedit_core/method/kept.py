"""What a finished chunk leaves on disk: a job that is interrupted goes on with the first unfinished chunk, and a job that differs from an
earlier one in a painted frame more makes only the chunks next to that (docs/decisions/0041).

Chunks are found by a key of all that decides them, so that nothing is found wrongly.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from i2vedit_core.artifacts import Artifacts
from i2vedit_core.errors import BridgeError
from i2vedit_core.method.editing import Edited, References
from i2vedit_core.method.lock import Lock
from i2vedit_core.tensor_files import find_tensors, save_tensors

Key = Mapping[str, Any]

LARGEST_FRONT_BYTES = 10**9
"""Keys and values of chunk 0 that take more are not written: at SVD's full size they are 8 GB, and denoising chunk 0 once more costs less
than it would cost every job to write them."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Front:
    """What chunk 0 leaves for the chunks behind it. Empty until it is edited, or taken up."""

    references: References | None
    """None where later chunks do not attend to it."""
    lock: Lock | None

    @property
    def is_needed(self) -> bool:
        return self.references is not None or self.lock is not None

    def tensors(self) -> dict[str, Tensor]:
        """All of it, by name."""
        halves = {} if self.references is None else self.references.halves()
        found = {
            f"{half}:{level}:{name}": tensor
            for half, reference in halves.items()
            for level, keys in reference.items()
            for name, tensor in keys.tensors().items()
        }
        return found if self.lock is None else {**found, "lock": self.lock.learned()}

    def take_up(self, tensors: Mapping[str, Tensor]) -> None:
        """What `tensors` gave."""
        if self.lock is not None:
            self.lock.take_up(tensors["lock"])
        for half, reference in ({} if self.references is None else self.references.halves()).items():
            for level, keys in reference.items():
                start = f"{half}:{level}:"
                keys.restore({name.removeprefix(start): tensor for name, tensor in tensors.items() if name.startswith(start)})


@dataclass(frozen=True)
class Kept:
    """Finished chunks. What cannot be written costs time later, and nothing else."""

    chunks: Artifacts | None = None
    """Of all jobs. None: they are not kept."""
    fronts: Artifacts | None = None
    """Of one job, with which they go: they are large. None: they are not kept."""

    def find(self, key: Key) -> Edited | None:
        """A chunk that was finished before."""
        found = _load(self.chunks, key, "edited")
        return None if found is None else Edited(found["z"], found["edit_map"])

    def keep(self, key: Key, edited: Edited) -> None:
        """A chunk is finished."""
        _save(self.chunks, key, "edited", {"z": edited.z, "edit_map": edited.edit_map})

    def find_front(self, key: Key, front: Front) -> bool:
        """Whether what chunk 0 left was there, and is in `front` now."""
        found = _load(self.fronts, key, "front")
        if found is not None:
            front.take_up(found)
        return found is not None

    def keep_front(self, key: Key, front: Front) -> None:
        """What chunk 0 has left, if it is not too large."""
        tensors = front.tensors()
        if sum(tensor.nbytes for tensor in tensors.values()) <= LARGEST_FRONT_BYTES:
            _save(self.fronts, key, "front", tensors)


def _file(folder: Artifacts, key: Key, name: str) -> Path:
    return folder.folder("chunk", key) / f"{name}.safetensors"


def _load(folder: Artifacts | None, key: Key, name: str) -> dict[str, Tensor] | None:
    return None if folder is None else find_tensors(_file(folder, key, name))


def _save(folder: Artifacts | None, key: Key, name: str, tensors: Mapping[str, Tensor]) -> None:
    if folder is None:
        return
    try:
        save_tensors(_file(folder, key, name), tensors)
    except BridgeError as error:
        _log.warning("a finished chunk is not kept: %s", error.sentence)

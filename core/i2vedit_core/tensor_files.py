"""Tensors on disk: safetensors, whole or not there, and with a checksum, so that one that has suffered since is not taken for good."""

import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, uint8

from i2vedit_core.files import WriteFailedError, whole_file

CHECKSUM = "sha256"

_log = logging.getLogger(__name__)


class DamagedError(Exception):
    """A file cannot be read, or does not hold what was written. What it held has to be made again."""


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """Writes or replaces a safetensors file. Raises BridgeError DISK_FULL or OUTPUT_NOT_WRITABLE."""
    on_cpu = {name: tensor.detach().contiguous().cpu() for name, tensor in tensors.items()}
    with whole_file(path, sum(tensor.nbytes for tensor in on_cpu.values()), replace=True) as partial:
        try:
            save_file(on_cpu, partial, {**(metadata or {}), CHECKSUM: _checksum(on_cpu)})
        except SafetensorError as error:  # the library's word for whatever the disk said
            raise WriteFailedError(str(error)) from error


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Reads a file of `save_tensors` into memory of its own: MKL promises the same bits only for arrays that are aligned, which those
    in the middle of a file need not be. Raises DamagedError."""
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118  (it is no dictionary)
            written = (file.metadata() or {}).get(CHECKSUM)
    except (SafetensorError, OSError, ValueError) as error:
        raise DamagedError(f"{path}: {error}") from error
    if written != _checksum(tensors):
        raise DamagedError(f"{path}: its contents are not what was written")
    return tensors


def find_tensors(path: Path) -> dict[str, Tensor] | None:
    """As `load_tensors`; None where there is no such file, or none that is whole: what it held is made again."""
    if not path.exists():
        return None
    try:
        return load_tensors(path)
    except DamagedError as damage:
        _log.warning("a file is damaged, and what it held is made again: %s", damage)
        path.unlink(missing_ok=True)
        return None


def _checksum(tensors: Mapping[str, Tensor]) -> str:
    """Over names, types, shapes and bytes."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        digest.update(tensor.flatten().view(uint8).numpy().data)
    return digest.hexdigest()

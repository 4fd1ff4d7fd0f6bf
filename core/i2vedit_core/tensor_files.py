"""Tensors on disk: safetensors, whole or not there."""

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from i2vedit_core.files import WriteFailedError, whole_file


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """Writes or replaces a safetensors file. Raises BridgeError DISK_FULL or OUTPUT_NOT_WRITABLE."""
    on_cpu = {name: tensor.detach().contiguous().cpu() for name, tensor in tensors.items()}
    with whole_file(path, sum(tensor.nbytes for tensor in on_cpu.values()), replace=True) as partial:
        try:
            save_file(on_cpu, partial, dict(metadata) if metadata else None)
        except SafetensorError as error:  # the library's word for whatever the disk said
            raise WriteFailedError(str(error)) from error


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Reads a file of `save_tensors` into memory of its own: MKL promises the same bits only for arrays that are aligned, which those
    in the middle of a file need not be."""
    return {name: tensor.clone() for name, tensor in load_file(path).items()}

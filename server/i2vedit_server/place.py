"""Whether a folder may hold the job database: SQLite's write-ahead log needs a disk of this machine, and breaks on shares."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import platformdirs
import psutil

from i2vedit_core.errors import BridgeError, Code, Reason

NETWORK_TYPES = frozenset(
    {"nfs", "nfs3", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afpfs", "webdav", "davfs", "ncpfs", "afs", "coda", "9p"}
    | {"ceph", "glusterfs", "lustre", "beegfs", "gpfs", "panfs", "orangefs", "vboxsf", "vmhgfs", "prl_fs"}
)
"""As the systems call them; of FUSE the part after the dot."""
NETWORK_FUSE = frozenset(
    {"sshfs", "glusterfs", "rclone", "s3fs", "gcsfuse", "smbnetfs", "davfs2", "davfs", "vmhgfs-fuse", "google-drive-ocamlfuse"}
)


class Partition(Protocol):
    """What psutil says about a mounted file system."""

    mountpoint: str
    fstype: str
    opts: str


@dataclass(frozen=True)
class Machine:
    """What is asked about this machine."""

    partitions: Callable[[], Sequence[Partition]] = lambda: psutil.disk_partitions(all=True)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)


def check_place(folder: Path, machine: Machine | None = None) -> None:
    """Raises BridgeError DATA_FOLDER_NOT_LOCAL for a folder on a network share or in a roaming profile. It need not exist yet."""
    what = _not_local(_resolved(folder), machine or Machine())
    if what is None:
        return
    local = platformdirs.user_data_path("i2vedit", appauthor=False, roaming=False)
    alternative = f"such as {local}" if _resolved(local) != _resolved(folder) else "on a disk of this machine"
    sentence = (
        f"The data folder {folder} lies {what}, where the job database would break; give the server a local folder, {alternative}, with "
        "--data-dir or in I2VEDIT_DATA_DIR."
    )
    raise BridgeError(Code.FAILED_PRECONDITION, Reason.DATA_FOLDER_NOT_LOCAL, sentence)


def _resolved(folder: Path) -> Path:
    try:
        return folder.resolve()
    except (OSError, RuntimeError):
        return folder


def _not_local(folder: Path, machine: Machine) -> str | None:
    if str(folder).startswith(("\\\\", "//")):
        return "on a network share"
    roaming = machine.environment.get("APPDATA")
    if roaming and folder.is_relative_to(roaming):
        return "in a profile that Windows copies over the network"
    partition = _partition_of(folder, machine.partitions())
    if partition is not None and _is_network(partition):
        return f"on a network share ({partition.fstype or 'remote'})"
    return None


def _partition_of(folder: Path, partitions: Sequence[Partition]) -> Partition | None:
    """The innermost one; of several on one mount point the last, which lies over the others."""
    around = [each for each in partitions if each.mountpoint and folder.is_relative_to(each.mountpoint)]
    return max(reversed(around), key=lambda each: len(Path(each.mountpoint).parts), default=None)


def _is_network(partition: Partition) -> bool:
    kind, _, fuse = partition.fstype.lower().partition(".")
    return kind in NETWORK_TYPES or (kind == "fuse" and fuse in NETWORK_FUSE) or "remote" in partition.opts.split(",")

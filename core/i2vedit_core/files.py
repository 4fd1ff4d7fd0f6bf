"""Files that are whole or not there: written under another name in the same folder, flushed, then renamed."""

import errno
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from i2vedit_core.errors import BridgeError, Code, Reason

SHARING_RETRY_SECONDS = 10.0
"""Virus scanners and indexers on Windows hold fresh files for seconds."""
_TEMPORARY = ".i2vedit-{}.part"
_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


class WriteFailedError(Exception):
    """A library said that it could not write; why is found out by looking at the disk."""


def check_folder(folder: Path) -> None:
    """Raises OUTPUT_NOT_WRITABLE with a sentence unless `folder` exists and a file can be made in it."""
    try:
        if folder.exists() and not folder.is_dir():
            raise _not_writable(f"'{folder}' is a file, not a folder; choose a folder to write to.")
        if not folder.is_dir():
            raise _not_writable(f"There is no folder '{folder}'; make it, or choose another.")
        probe = folder / _temporary_name()
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise write_error(folder, error) from error


def _not_writable(sentence: str) -> BridgeError:
    return BridgeError(Code.FAILED_PRECONDITION, Reason.OUTPUT_NOT_WRITABLE, sentence)


def write_error(path: Path, error: OSError, bytes_needed: int = 0) -> BridgeError:
    """What the system's error means for the person who asked for `path`."""
    if error.errno in _FULL:
        return disk_full(path, bytes_needed)
    return _not_writable(f"'{path}' cannot be written: {error.strerror or error}; check the folder's permissions or choose another.")


def disk_full(path: Path, bytes_needed: int) -> BridgeError:
    """The error of a full disk, with the bytes that one file needs and those that are free."""
    free = free_bytes(path.parent)
    needed = f"{bytes_needed / 2**20:.1f} MB are needed for '{path.name}'" if bytes_needed else f"'{path.name}' does not fit"
    sentence = f"The disk of '{path.parent}' is full: {needed}, {free / 2**20:.1f} MB are free. Make room and start it again."
    return BridgeError(Code.RESOURCE_EXHAUSTED, Reason.DISK_FULL, sentence)


def free_bytes(folder: Path) -> int:
    """What is left of a folder's disk; 0 where that cannot be told."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0


@contextmanager
def whole_file(final: Path, bytes_needed: int, replace: bool = False) -> Iterator[Path]:
    """Gives a name to write to; on success the file is flushed and takes its final name, otherwise it is removed.

    The temporary name starts with a dot and ends in `.part`: no program takes it for a frame. With `replace` False an
    existing file is left as it is. Raises BridgeError OUTPUT_NOT_WRITABLE or DISK_FULL; any error inside passes through.
    """
    temporary = final.with_name(_temporary_name())
    try:
        yield temporary
        _flush(temporary)
        _place(temporary, final, replace)
    except WriteFailedError as error:
        temporary.unlink(missing_ok=True)
        if free_bytes(final.parent) < bytes_needed:
            raise disk_full(final, bytes_needed) from error
        raise _not_writable(f"'{final}' cannot be written ({error}); check the folder and the disk.") from error
    except OSError as error:
        raise write_error(final, error, bytes_needed) from error
    finally:
        _remove(temporary)


def remove_leftovers(folder: Path, older_than_seconds: float = 0.0) -> None:
    """Removes what writers that were killed have left unfinished in a folder. One that others may be writing to wants an age."""
    youngest = time.time() - older_than_seconds
    for temporary in folder.glob(_TEMPORARY.format("*")):
        try:
            if temporary.stat().st_mtime <= youngest:
                temporary.unlink()
        except OSError:
            continue  # its writer is done with it, or it is not ours to remove; it takes room and does no harm


def _temporary_name() -> str:
    return _TEMPORARY.format(uuid.uuid4().hex)


def _remove(temporary: Path) -> None:
    # The folder may be gone or read-only by now; the error that led here matters more.
    try:
        temporary.unlink(missing_ok=True)
    except OSError:
        return


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _place(temporary: Path, final: Path, replace: bool) -> None:
    deadline = time.monotonic() + SHARING_RETRY_SECONDS
    while True:
        try:
            if replace:
                os.replace(temporary, final)
            else:
                _rename_to_free_name(temporary, final)
            break
        except PermissionError:
            if os.name != "nt" or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
    if os.name != "nt":
        _flush_folder(final.parent)


def _flush_folder(folder: Path) -> None:
    """Without this the new name itself may be lost with the power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some network file systems have no such thing.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def _rename_to_free_name(temporary: Path, final: Path) -> None:
    """Renames, and fails where the name is taken: a link never overwrites, neither does a rename on Windows."""
    if os.name == "nt":
        os.rename(temporary, final)
        return
    try:
        os.link(temporary, final)
    except FileExistsError:
        raise
    except OSError:
        # A file system without links: the look before the leap is all there is.
        if final.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(final)) from None
        os.replace(temporary, final)

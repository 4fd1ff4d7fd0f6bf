"""Files that come from another machine: in pieces, over several calls where need be, and whole before they have a name."""

import asyncio
import hashlib
import os
import re
import shutil
import weakref
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from i2vedit.v1 import transfer_pb2
from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.files import disk_full, whole_file, write_error
from i2vedit_server.confinement import DEVICE_NAMES
from i2vedit_server.remote_files import mark_used

CHUNK_BYTES = 2**20
CHUNK_SECONDS = 60.0
"""How long the next chunk may take. Who waits for the same file must not wait for a caller who went to sleep."""
SPARE_BYTES = 64 * 2**20
"""What an upload leaves free, so that the database can go on writing."""
LONGEST_NAME_BYTES = 200
PART = ".part"

Requests = AsyncIterator[transfer_pb2.UploadMediaRequest]


@dataclass(frozen=True)
class Upload:
    """A checked header."""

    name: str
    """Safe as a file name on every system."""
    byte_count: int
    sha256: str
    offset: int


class Uploads:
    """The folder of uploads: `SHA256/NAME`, and `SHA256.part` for what is on its way."""

    def __init__(self, folder: Path, largest_bytes: int) -> None:
        self._folder = folder
        self._largest_bytes = largest_bytes
        self._locks: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    async def receive(self, requests: Requests) -> transfer_pb2.UploadMediaResponse:
        """One call. Raises BridgeError UPLOAD_INVALID, UPLOAD_TOO_LARGE, UPLOAD_DAMAGED, DISK_FULL."""
        first = await _next(requests)
        if first is None or first.WhichOneof("part") != "header":
            raise _invalid("An upload begins with its header: name, size and checksum of the file.")
        upload = self._checked(first.header)
        # One caller at a time for each content; the next one finds it there.
        async with self._locks.setdefault(upload.sha256, asyncio.Lock()):
            part = self._folder / f"{upload.sha256}{PART}"
            path = await asyncio.to_thread(self._whole, upload)
            if path is None:
                await asyncio.to_thread(self._make_room, upload, part)
                if upload.offset == _size(part):
                    await self._append(part, upload, requests)
                if _size(part) < upload.byte_count:
                    return transfer_pb2.UploadMediaResponse(received_bytes=_size(part))
                path = await asyncio.to_thread(self._finish, part, upload)
            return transfer_pb2.UploadMediaResponse(received_bytes=upload.byte_count, path=str(path))

    def _checked(self, header: transfer_pb2.UploadHeader) -> Upload:
        if not re.fullmatch(r"[0-9a-f]{64}", header.sha256):
            raise _invalid("The checksum of an upload is its SHA-256 in 64 lower-case hexadecimal digits.")
        if header.byte_count < 1 or not 0 <= header.offset <= header.byte_count:
            raise _invalid("An upload has at least one byte, and goes on somewhere within the file.")
        if header.byte_count > self._largest_bytes:
            sentence = (
                f"The file has {header.byte_count} bytes; this server takes uploads of up to {self._largest_bytes}. Cut the shot out "
                "of it, or let the server's owner raise [remote] upload_gigabytes in config.toml."
            )
            raise BridgeError(Code.RESOURCE_EXHAUSTED, Reason.UPLOAD_TOO_LARGE, sentence)
        return Upload(safe_name(header.file_name), header.byte_count, header.sha256, header.offset)

    def _whole(self, upload: Upload) -> Path | None:
        """Where this content lies already, under this name. Another name is a second link to the same bytes."""
        folder = self._folder / upload.sha256
        final = folder / upload.name
        if final.is_file():
            mark_used(folder)
            return final
        known = next((path for path in folder.glob("*") if path.is_file() and not path.name.startswith(".")), None)
        if known is None:
            return None
        mark_used(folder)
        with whole_file(final, upload.byte_count) as temporary:
            try:
                os.link(known, temporary)
            except OSError:  # a file system without links
                shutil.copyfile(known, temporary)
        return final

    def _make_room(self, upload: Upload, part: Path) -> None:
        """Before the first byte: an hour of sending must not end at a full disk."""
        self._folder.mkdir(parents=True, exist_ok=True)
        needed = upload.byte_count - _size(part)
        if shutil.disk_usage(self._folder).free < needed + SPARE_BYTES:
            raise disk_full(self._folder / upload.name, needed)

    async def _append(self, part: Path, upload: Upload, requests: Requests) -> None:
        """Writes what comes, to the end of the call or of the file; what was written stays for the next call."""
        left = upload.byte_count - upload.offset
        file = await asyncio.to_thread(part.open, "ab")
        try:
            while left and (request := await _next(requests)) is not None:
                if request.WhichOneof("part") != "chunk" or not 0 < len(request.chunk) <= min(CHUNK_BYTES, left):
                    raise _invalid(f"After its header an upload has chunks of 1 to {CHUNK_BYTES} bytes, no more than the file has.")
                await asyncio.to_thread(_write, file, request.chunk, upload)
                left -= len(request.chunk)
        finally:
            await asyncio.to_thread(file.close)

    def _finish(self, part: Path, upload: Upload) -> Path:
        """Checks the whole file and gives it its name."""
        with part.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != upload.sha256:
            part.unlink()
            sentence = "What arrived is not what was announced: its checksum differs. Send the file again."
            raise BridgeError(Code.DATA_LOSS, Reason.UPLOAD_DAMAGED, sentence)
        folder = self._folder / upload.sha256
        folder.mkdir(exist_ok=True)
        with whole_file(folder / upload.name, upload.byte_count) as temporary:
            os.replace(part, temporary)
        return folder / upload.name


def safe_name(name: str) -> str:
    """The last part of a name, as a file that every system can have; what is delivered is named after it."""
    last = re.split(r"[/\\]", name)[-1]
    plain = re.sub(r'[<>:"|?*\x00-\x1f\x7f]', "_", last).strip(". ")
    stem, dot, ending = plain.rpartition(".")
    stem, ending = (stem, dot + ending) if stem and len(ending.encode()) < 16 else (plain, "")
    stem = stem.encode()[: LONGEST_NAME_BYTES - len(ending.encode())].decode(errors="ignore")
    reserved = plain.partition(".")[0].rstrip(" ").upper() in DEVICE_NAMES
    return f"{'_' if reserved else ''}{stem or 'upload'}{ending}"


async def _next(requests: Requests) -> transfer_pb2.UploadMediaRequest | None:
    """The next message; None at the end of the call. Raises BridgeError UPLOAD_INVALID where none comes in time."""
    try:
        async with asyncio.timeout(CHUNK_SECONDS):
            return await anext(requests, None)
    except TimeoutError:
        raise _invalid(f"Nothing arrived for {CHUNK_SECONDS:.0f} seconds; the upload can be taken up where it is.") from None


def _write(file: IO[bytes], chunk: bytes, upload: Upload) -> None:
    try:
        file.write(chunk)
        file.flush()
    except OSError as error:
        raise write_error(Path(file.name).with_name(upload.name), error, upload.byte_count) from error


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _invalid(sentence: str) -> BridgeError:
    return BridgeError(Code.INVALID_ARGUMENT, Reason.UPLOAD_INVALID, sentence)

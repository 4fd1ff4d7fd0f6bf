"""The files of a delivered folder on their way to another machine."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

from i2vedit.v1 import transfer_pb2
from i2vedit_core.delivery.ticket import TICKET_FILE
from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_server.remote_files import mark_used
from i2vedit_server.uploads import CHUNK_BYTES


async def delivered_files(
    folder: Path | None, request: transfer_pb2.DownloadFramesRequest
) -> AsyncIterator[transfer_pb2.DownloadFramesResponse]:
    """Every file that lies in the folder under its final name, the ticket first: whoever resumes sees whether it is the same delivery.

    Raises BridgeError NOTHING_DELIVERED.
    """
    names = await asyncio.to_thread(_names, folder) if folder is not None else []
    if folder is None or not names:
        sentence = f"Nothing of {request.name} is delivered yet, or its folder was taken away; `i2vedit jobs show` says how far it is."
        raise BridgeError(Code.NOT_FOUND, Reason.NOTHING_DELIVERED, sentence)
    offset = request.offset
    for name in names:
        await asyncio.to_thread(mark_used, folder)
        if name == TICKET_FILE:
            async for response in _file(folder / name, 0):
                yield response
        elif name > request.after_file:
            async for response in _file(folder / name, offset):
                yield response
            offset = 0


def _names(folder: Path) -> list[str]:
    """Ordinary files alone; what begins with a dot is on its way."""
    try:
        found = [path.name for path in folder.iterdir() if path.is_file() and not path.is_symlink() and not path.name.startswith(".")]
    except OSError:
        return []
    return sorted(found, key=lambda name: (name != TICKET_FILE, name))


async def _file(path: Path, offset: int) -> AsyncIterator[transfer_pb2.DownloadFramesResponse]:
    with path.open("rb") as file:
        digest = await asyncio.to_thread(hashlib.file_digest, file, "sha256")
        size = file.tell()
        start = offset if 0 < offset <= size else 0
        file.seek(start)
        header = transfer_pb2.DeliveredFile(name=path.name, byte_count=size, sha256=digest.hexdigest(), offset=start)
        yield transfer_pb2.DownloadFramesResponse(file=header)
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield transfer_pb2.DownloadFramesResponse(chunk=chunk)

"""Clips to a server on another machine and frames back from it: in pieces, taken up where they were broken off, and checked."""

import errno
import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from i2vedit.v1 import transfer_pb2
from i2vedit_client.client import Client
from i2vedit_client.errors import BadInput, ClientError, ExitCode, Failure, ServerError
from i2vedit_client.files import replace

CHUNK_BYTES = 2**20
ATTEMPTS = 5
"""Broken calls one after another in which nothing at all got through."""
PAUSE_SECONDS = 0.5
TICKET_FILE = "ticket.json"
MARK = ".i2vedit-download"
"""Names the job of which a folder is being filled; gone when it is whole."""
PART = ".part"


def upload_media(client: Client, path: Path) -> str:
    """Brings a file to the server and gives its path there. Content that is there already is not sent again.

    Raises BadInput where it cannot be read, ServerError.
    """
    header = _header(path)
    failures = 0
    while True:
        try:
            # The header alone first: it asks how much is there.
            answer = client.upload(iter([transfer_pb2.UploadMediaRequest(header=header)]))
            if answer.path:
                return answer.path
            failures = 0 if answer.received_bytes > header.offset else failures
            header.offset = answer.received_bytes
            answer = client.upload(_requests(path, header))
            if answer.path:
                return answer.path
            if answer.received_bytes <= header.offset:
                raise ServerError("UNAVAILABLE", "UPLOAD_DAMAGED", f"'{path}' changed while it was sent; give the same command again.")
        except ServerError as error:
            if error.failure.code != "UNAVAILABLE":
                raise
            failures = _after_failure(failures, error)


def _after_failure(failures: int, error: ServerError) -> int:
    """Waits a little, longer each time. Raises the error where that has not helped."""
    if failures + 1 >= ATTEMPTS:
        raise error
    time.sleep(PAUSE_SECONDS * 2**failures)
    return failures + 1


def _header(path: Path) -> transfer_pb2.UploadHeader:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return transfer_pb2.UploadHeader(file_name=path.name, byte_count=file.tell(), sha256=digest)
    except OSError as error:
        raise BadInput(f"'{path}' cannot be read ({error.strerror}); check the path and its permissions.") from error


def _requests(path: Path, header: transfer_pb2.UploadHeader) -> Iterator[transfer_pb2.UploadMediaRequest]:
    yield transfer_pb2.UploadMediaRequest(header=header)
    left = header.byte_count - header.offset
    with path.open("rb") as file:
        file.seek(header.offset)
        # A file that grows meanwhile is sent as it was announced; its checksum tells.
        while left and (chunk := file.read(min(CHUNK_BYTES, left))):
            yield transfer_pb2.UploadMediaRequest(chunk=chunk)
            left -= len(chunk)


def download_frames(client: Client, job: str, directory: Path) -> Path:
    """Fetches the delivered folder of a job into `directory`, under the same names; gives the folder here.

    A call that was broken off goes on; nothing that is there is overwritten. Raises ServerError, ClientError.
    """
    name = _plain(re.split(r"[/\\]", client.get_job(job).delivered_directory)[-1])
    folder = directory / name
    with _disk_errors(folder, job):
        _claim(folder, job)
        failures = 0
        while True:
            had = _bytes_in(folder)
            try:
                _fetch(client, job, folder)
                break
            except ServerError as error:
                if error.failure.code != "UNAVAILABLE":
                    raise
                failures = _after_failure(0 if _bytes_in(folder) > had else failures, error)
        (folder / MARK).unlink()
    return folder


def _claim(folder: Path, job: str) -> None:
    """Makes the folder, or takes up the one that an earlier call of the same job left. Raises ClientError."""
    mark = folder / MARK
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
        mark.write_text(job, encoding="utf-8")
    except FileExistsError:
        if not mark.is_file() or mark.read_text(encoding="utf-8") != job:
            sentence = f"'{folder}' exists already and is not overwritten; choose another folder with --out."
            raise ClientError(Failure("FAILED_PRECONDITION", "OUTPUT_NOT_WRITABLE", sentence, job), ExitCode.BAD_INPUT) from None


def _fetch(client: Client, job: str, folder: Path) -> None:
    """One call, from where the folder stands."""
    have = sorted(path.name for path in folder.iterdir() if not path.name.startswith(".") and path.name != TICKET_FILE)
    after = have[-1] if have else ""
    part = next((path for path in folder.glob(f".*{PART}") if path.name != f".{TICKET_FILE}{PART}"), None)
    request = transfer_pb2.DownloadFramesRequest(name=job, after_file=after, offset=part.stat().st_size if part else 0)
    incoming: _Incoming | None = None
    try:
        for response in client.download(request):
            if response.HasField("file"):
                _complete(incoming, job)
                incoming = _Incoming(folder, response.file)
            elif incoming is not None:
                incoming.write(response.chunk)
        _complete(incoming, job)
    finally:
        if incoming is not None:
            incoming.close()


class _Incoming:
    """One file on its way: under a name that no program takes for a frame, until it is whole."""

    def __init__(self, folder: Path, told: transfer_pb2.DeliveredFile) -> None:
        self.final = folder / _plain(told.name)
        self._sha256 = told.sha256
        self._part = folder / f".{told.name}{PART}"
        if not self._part.exists() or self._part.stat().st_size != told.offset:
            # What lies there is not what the server goes on from; a wrong beginning shows in the checksum.
            self._part.write_bytes(b"")
        self._file = self._part.open("ab")

    def write(self, chunk: bytes) -> None:
        self._file.write(chunk)

    def close(self) -> None:
        self._file.close()

    def finish(self) -> bool:
        """Gives the file its name if it is what was announced; otherwise takes it away and says False."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self.close()
        with self._part.open("rb") as file:
            is_right = hashlib.file_digest(file, "sha256").hexdigest() == self._sha256
        if is_right:
            replace(self._part, self.final)
        else:
            self._part.unlink()
        return is_right


def _complete(incoming: _Incoming | None, job: str) -> None:
    if incoming is not None and not incoming.finish():
        sentence = f"'{incoming.final.name}' arrived damaged. {_go_on(job)}"
        raise ClientError(Failure("DATA_LOSS", "DOWNLOAD_DAMAGED", sentence, job), ExitCode.FAILED)


def _plain(name: str) -> str:
    """A name from the server that stays in its folder. Raises ServerError for any other."""
    if not name or name.startswith(".") or re.search(r"[/\\:\0]", name):
        raise ServerError(
            "DATA_LOSS", "DOWNLOAD_DAMAGED", f"The server named a file '{name}', which is no plain file name; nothing was written."
        )
    return name


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def _go_on(job: str) -> str:
    return f"What is missing is fetched by: i2vedit jobs fetch {job.removeprefix('jobs/')} --out DIR"


@contextmanager
def _disk_errors(folder: Path, job: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno == errno.ENOSPC
        code, reason = ("RESOURCE_EXHAUSTED", "DISK_FULL") if full else ("FAILED_PRECONDITION", "OUTPUT_NOT_WRITABLE")
        what = "its disk is full; make room" if full else error.strerror
        sentence = f"The frames cannot be written to '{folder}': {what}. {_go_on(job)}"
        raise ClientError(Failure(code, reason, sentence, job), ExitCode.FAILED) from error

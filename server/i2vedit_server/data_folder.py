"""The server's folder on disk: one server at a time, a token that only its user can read, and the address it answers on."""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import filelock

from i2vedit_core.errors import BridgeError, Code, Reason

TOKEN_BYTES = 32
MINIMUM_TOKEN_CHARACTERS = 32
LEAVING_SECONDS = 1.0
"""A server that has just taken its address back needs a moment to close its database."""


@dataclass(frozen=True)
class DataFolder:
    """Names of what lies in a data folder. Paths are absolute."""

    path: Path
    artifacts_folder: Path | None = None
    """None: in the data folder."""

    @property
    def database(self) -> Path:
        return self.path / "jobs.sqlite3"

    @property
    def address_file(self) -> Path:
        """`server.json`: where the running server answers."""
        return self.path / "server.json"

    @property
    def token_file(self) -> Path:
        return self.path / "token"

    @property
    def lock_file(self) -> Path:
        return self.path / "server.lock"

    @property
    def server_log(self) -> Path:
        return self.path / "server.log"

    def worker_log(self, lane: int = 0) -> Path:
        """Each lane's worker has a log of its own."""
        return self.path / ("worker.log" if lane == 0 else f"worker-{lane + 1}.log")

    @property
    def work(self) -> Path:
        """One scratch folder for each job that has not ended."""
        return self.path / "work"

    @property
    def artifacts(self) -> Path:
        """What was made of prepared shots, for every job that needs the same."""
        return self.artifacts_folder or self.path / "artifacts"

    @property
    def uploads(self) -> Path:
        """Clips and painted frames that came from other machines."""
        return self.path / "uploads"

    @property
    def deliveries(self) -> Path:
        """What was made for callers on other machines, who cannot name a folder of this one."""
        return self.path / "deliveries"

    def create(self) -> None:
        """Makes the folders, closed to other users. Raises BridgeError DATA_FOLDER_UNUSABLE."""
        try:
            self.work.mkdir(parents=True, exist_ok=True)
            self.path.chmod(0o700)
        except OSError as error:
            raise _unusable(self.path, error) from error

    def lock(self) -> filelock.BaseFileLock:
        """Takes the folder for this process; the system lets go of it when the process ends, however it ends.

        Raises BridgeError SERVER_RUNNING where another server has it.
        """
        lock = filelock.FileLock(self.lock_file, timeout=LEAVING_SECONDS)
        try:
            lock.acquire()
        except filelock.Timeout:
            sentence = (
                f"A server already uses the data folder {self.path}; use that one, stop it, or give this one another with --data-dir."
            )
            raise BridgeError(Code.ALREADY_EXISTS, Reason.SERVER_RUNNING, sentence) from None
        except OSError as error:
            raise _unusable(self.path, error) from error
        return lock

    def token(self) -> str:
        """The token of this folder, made at the first start. Raises BridgeError DATA_FOLDER_UNUSABLE."""
        try:
            if self.token_file.exists():
                self.token_file.chmod(0o600)
                kept = self.token_file.read_text("utf-8").strip()
                if len(kept) >= MINIMUM_TOKEN_CHARACTERS and kept.isascii():
                    return kept
            token = secrets.token_urlsafe(TOKEN_BYTES)
            write_private(self.token_file, token)
        except (OSError, UnicodeDecodeError) as error:
            raise _unusable(self.path, error) from error
        return token

    def publish(self, address: str, version: str, remote_address: str | None = None) -> None:
        """Tells clients of this user where the server answers. Raises BridgeError DATA_FOLDER_UNUSABLE."""
        told: dict[str, object] = {"address": address, "pid": os.getpid(), "version": version}
        if remote_address is not None:
            told["remote_address"] = remote_address
        try:
            write_private(self.address_file, json.dumps(told))
        except OSError as error:
            raise _unusable(self.path, error) from error

    def withdraw(self) -> None:
        """Takes the address back, so that clients do not knock at a closed door."""
        self.address_file.unlink(missing_ok=True)


def write_private(path: Path, text: str) -> None:
    """Writes a whole file that only its user can read; readers see the old one or the new one. Raises OSError."""
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _unusable(path: Path, error: Exception) -> BridgeError:
    sentence = f"The data folder {path} cannot be used ({error}); give the server another one with --data-dir."
    return BridgeError(Code.FAILED_PRECONDITION, Reason.DATA_FOLDER_UNUSABLE, sentence)

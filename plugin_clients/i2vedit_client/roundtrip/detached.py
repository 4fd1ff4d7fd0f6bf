"""The round trip that a host starts and need not keep, and how it is ended: each session has one owner at most."""

import os
import subprocess
import sys
import time
import uuid
from pathlib import Path

from i2vedit_client.files import write_whole
from i2vedit_client.host.session import Session
from i2vedit_client.launch import detached

OWNER_FILE = "roundtrip-owner"
FRESH_SECONDS = 10.0
"""A round trip that has not looked for so long is dead."""


def start_round_trip(session: Session) -> None:
    """Comes back at once."""
    command = [sys.executable, "-m", "i2vedit_client", "roundtrip", "--session", session.name, "--json"]
    with (session.folder / "roundtrip.log").open("wb") as output:
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=session.folder,
            **detached(),  # type: ignore[call-overload]
        )


class Ownership:
    """Whoever takes a session last has it; the one before ends at its next look, so that no save is propagated twice."""

    def __init__(self, session: Session) -> None:
        """Raises OSError."""
        self._file, self._name = _owner_file(session), uuid.uuid4().hex.encode()
        write_whole(self._file, self._name)

    def held(self) -> bool:
        """Whether nobody else has taken it. Says so to others, too."""
        try:
            if self._file.read_bytes() != self._name:
                return False
            os.utime(self._file)
        except OSError:
            return False
        return True

    def give_back(self) -> None:
        """For the end, unless somebody else has it."""
        if self.held():
            self._file.unlink(missing_ok=True)


def is_watched(session: Session) -> bool:
    """Whether some round trip has looked at this session just now."""
    try:
        return time.time() - _owner_file(session).stat().st_mtime < FRESH_SECONDS
    except OSError:
        return False


def stop_round_trip(session: Session) -> None:
    """Ends the one that runs, if any. Raises OSError."""
    _owner_file(session).unlink(missing_ok=True)


def _owner_file(session: Session) -> Path:
    return session.folder / OWNER_FILE

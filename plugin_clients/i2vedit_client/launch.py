"""Finds the running server, or starts one that ends by itself when it has been idle."""

import importlib.util
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from i2vedit_client.client import Client
from i2vedit_client.discovery import data_folder, read_server_file, read_token
from i2vedit_client.errors import ServerError

IDLE_SECONDS = 600
START_SECONDS = 30.0
STEP_BACK_SECONDS = 5.0
"""After our server has ended, how long another one that was started at the same moment may take to answer."""
ANSWER_SECONDS = 5.0
POLL_SECONDS = 0.05
SERVER_PACKAGES = ("torch", "OpenImageIO", "grpc_health")
"""Some packages of the extra `server`; without one of them no server can run here."""
LOG_NAME = "server-start.log"


@dataclass(frozen=True)
class Started:
    """A server process and the file that receives what it says."""

    process: subprocess.Popen[bytes]
    log: Path


def missing_server_packages() -> list[str]:
    return [name for name in SERVER_PACKAGES if importlib.util.find_spec(name) is None]


def require_server_packages() -> None:
    """Raises ServerError where only the client is installed."""
    missing = missing_server_packages()
    if missing:
        raise ServerError(
            "UNAVAILABLE",
            "SERVER_NOT_INSTALLED",
            f"No server runs, and none can be started here, since its packages are missing ({', '.join(missing)}). "
            'Install the server with: pip install "i2vedit-bridge[server]"',
        )


def start_server(folder: Path, idle_seconds: int = IDLE_SECONDS) -> Started:
    """Starts a server that outlives this command and that no Ctrl-C in its terminal reaches."""
    require_server_packages()
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / LOG_NAME
    command = [sys.executable, "-m", "i2vedit_server", "--data-dir", str(folder), "--idle-exit", str(idle_seconds)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            **_detached(),  # type: ignore[call-overload]
        )
    return Started(process, log)


def _detached() -> dict[str, object]:
    if os.name == "nt":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}  # type: ignore[attr-defined]
    return {"start_new_session": True}


def running_client(folder: Path) -> Client | None:
    """A client of the server that runs on this data folder, None if none answers. A wrong token raises ServerError."""
    server = read_server_file(folder)
    if server is None:
        return None
    client = Client(server.address, read_token(folder))
    try:
        client.server_info(ANSWER_SECONDS)
    except ServerError as error:
        client.close()
        if error.failure.code == "UNAVAILABLE":
            return None
        raise
    return client


def wait_for_server(folder: Path, started: Started) -> Client:
    """Waits until a server answers. It need not be ours: of two that start at once the second one steps back."""
    deadline = time.monotonic() + START_SECONDS
    stepping_back = False
    while time.monotonic() < deadline:
        client = running_client(folder)
        if client is not None:
            _end_surplus(folder, started)
            return client
        if started.process.poll() is not None and not stepping_back:
            stepping_back, deadline = True, time.monotonic() + STEP_BACK_SECONDS
        time.sleep(POLL_SECONDS)
    raise ServerError("UNAVAILABLE", "SERVER_NOT_STARTED", f"The server did not start. {_last_words(started.log)}")


def _end_surplus(folder: Path, started: Started) -> None:
    """Of two servers that start at once the slower one would take over when the first ends, with nobody who wants it."""
    server = read_server_file(folder)
    # On Windows the Python of a virtual environment is a launcher, whose process id is not that of the server.
    if os.name != "nt" and server is not None and server.pid != started.process.pid:
        started.process.terminate()


def _last_words(log: Path) -> str:
    try:
        lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    except OSError:
        lines = []
    return f"Its last words: {lines[-1]}" if lines else "`i2vedit serve` shows more."


def connect() -> Client:
    """A client of this user's server; starts one if none runs. Raises ServerError."""
    folder = data_folder()
    return running_client(folder) or wait_for_server(folder, start_server(folder))

"""Finds the running server, or starts one that ends by itself when it has been idle."""

import importlib.util
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from i2vedit_client.client import Client
from i2vedit_client.discovery import (
    AUTHORITIES_VARIABLE,
    SERVER_VARIABLE,
    NamedServer,
    data_folder,
    named_server,
    read_server_file,
    read_token,
)
from i2vedit_client.errors import ServerError
from i2vedit_client.installing import install_command

IDLE_SECONDS = 600
START_SECONDS = 30.0
STEP_BACK_SECONDS = 5.0
"""After our server has ended, how long another one that was started at the same moment may take to answer."""
ANSWER_SECONDS = 5.0
LEAVING_SECONDS = 45.0
DRAIN_SECONDS = 120.0
"""Longer than a server waits for its job when it ends, unless it was configured to wait for very long."""
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
            f"Run: {install_command('server')}",
        )


def start_server(folder: Path, idle_seconds: int = IDLE_SECONDS) -> Started:
    """Starts a server that outlives this command and that no Ctrl-C in its terminal reaches."""
    require_server_packages()
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / LOG_NAME
    command = [sys.executable, "-m", "i2vedit_server", "--data-dir", str(folder), "--idle-exit-default", str(idle_seconds)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            **detached(),  # type: ignore[call-overload]
        )
    return Started(process, log)


def detached() -> dict[str, object]:
    """Arguments of `Popen` for a process that outlives this command and that no Ctrl-C in its terminal reaches."""
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
    """A client of the server that the environment names, else of this user's own, which is started if none runs.

    An own server of an older version is ended after its running job's next step, and one of this version takes its place.
    Raises ServerError, BadInput.
    """
    named = named_server()
    if named is not None:
        return _named_client(named)
    folder = data_folder()
    client = running_client(folder)
    if client is not None and is_older(client.server_info().version):
        end_server(folder, client)
        client = None
    if client is None:
        _await_leaving(folder)
    return client or wait_for_server(folder, start_server(folder))


def _await_leaving(folder: Path) -> None:
    """A server that has been told to stop answers no more, but keeps its folder until its job has written its checkpoint."""
    server = read_server_file(folder)
    deadline = time.monotonic() + LEAVING_SECONDS
    while server is not None and _lives(server.pid) and time.monotonic() < deadline and read_server_file(folder) == server:
        time.sleep(POLL_SECONDS)


def _lives(pid: int) -> bool:
    if os.name == "nt":
        return False  # there os.kill would end it
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _named_client(named: NamedServer) -> Client:
    """Raises ServerError where it does not answer; nothing is started in its place."""
    client = Client(named.address, named.token, named.authorities)
    try:
        client.server_info()
    except ServerError as error:
        client.close()
        if error.failure.code != "UNAVAILABLE":
            raise
        sentence = (
            f"The server {named.address}, which {SERVER_VARIABLE} names, cannot be reached. Check that it runs there, and that "
            f"{AUTHORITIES_VARIABLE} names the authority of its certificate."
        )
        raise ServerError("UNAVAILABLE", "SERVER_NOT_REACHED", sentence) from error
    return client


def is_older(version: str) -> bool:
    """Whether a server's version comes before this command's."""
    return _numbers(version) < _numbers(metadata.version("i2vedit-bridge"))


def _numbers(version: str) -> list[int]:
    """The leading numbers: `1.2.0rc1` counts as 1.2.0, since a server is not exchanged between such."""
    return [int(number) for number in re.match(r"\d*(?:\.\d+)*", version)[0].split(".") if number]  # type: ignore[index]


def end_server(folder: Path, client: Client) -> None:
    """Asks the server of this folder to let its job go at the next step and to end, and waits for it. Closes the client.

    Raises ServerError where it stays.
    """
    server = read_server_file(folder)
    with client:
        try:
            client.drain_server()
        except ServerError as error:
            if error.failure.code != "UNIMPLEMENTED" or os.name == "nt" or server is None:
                raise
            os.kill(server.pid, signal.SIGTERM)  # it is older than this call
    deadline = time.monotonic() + DRAIN_SECONDS
    while (left := read_server_file(folder)) is not None and left == server:
        if time.monotonic() > deadline:
            sentence = f"The server (process {left.pid}) does not end; its running job takes long to its next step. Try again in a while."
            raise ServerError("UNAVAILABLE", "SERVER_STOPPING", sentence)
        time.sleep(POLL_SECONDS)

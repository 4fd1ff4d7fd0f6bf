"""Where the server of this user keeps its address and its token."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from i2vedit_client.errors import BadInput

DATA_FOLDER_VARIABLE = "I2VEDIT_DATA_DIR"
MODELS_VARIABLE = "I2VEDIT_MODELS"
"""Read by the server that is started."""
SERVER_VARIABLE = "I2VEDIT_SERVER"
TOKEN_VARIABLE = "I2VEDIT_TOKEN_FILE"
AUTHORITIES_VARIABLE = "I2VEDIT_CA_FILE"


@dataclass(frozen=True)
class ServerFile:
    """What a running server says about itself in `server.json`."""

    address: str
    """`host:port`."""
    pid: int
    version: str


@dataclass(frozen=True)
class NamedServer:
    """A server that the environment names, instead of the one of this user's data folder."""

    address: str
    """`host:port`."""
    token: str
    authorities: bytes | None
    """PEM; None: those that are known everywhere."""


def named_server() -> NamedServer | None:
    """What I2VEDIT_SERVER, I2VEDIT_TOKEN_FILE and I2VEDIT_CA_FILE say; None where no server is named. Raises BadInput."""
    address = os.environ.get(SERVER_VARIABLE)
    if not address:
        return None
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise BadInput(f"{SERVER_VARIABLE} is '{address}'; write the host and the port, such as render.example:50051.")
    token = _named_file(TOKEN_VARIABLE)
    if token is None:
        raise BadInput(f"{SERVER_VARIABLE} names a server; copy the file 'token' of its data folder here, and name it in {TOKEN_VARIABLE}.")
    return NamedServer(address, token.decode("utf-8", "replace").strip(), _named_file(AUTHORITIES_VARIABLE))


def _named_file(variable: str) -> bytes | None:
    named = os.environ.get(variable)
    if not named:
        return None
    try:
        return Path(named).expanduser().read_bytes()
    except OSError as error:
        raise BadInput(f"The file {named} that {variable} names cannot be read ({error.strerror}).") from error


def data_folder() -> Path:
    """The user's data folder on this machine; the environment variable I2VEDIT_DATA_DIR names another one."""
    chosen = os.environ.get(DATA_FOLDER_VARIABLE)
    return Path(chosen).expanduser().absolute() if chosen else platformdirs.user_data_path("i2vedit", appauthor=False)


def read_server_file(folder: Path) -> ServerFile | None:
    """What the last server of this folder wrote; None if there is none or it cannot be read. It may have ended since."""
    try:
        content = json.loads((folder / "server.json").read_text(encoding="utf-8"))
        return ServerFile(str(content["address"]), int(content["pid"]), str(content["version"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def read_token(folder: Path) -> str:
    """The token that every call carries; empty if there is none yet."""
    try:
        return (folder / "token").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""

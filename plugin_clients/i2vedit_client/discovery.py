"""Where the server of this user keeps its address and its token."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

DATA_FOLDER_VARIABLE = "I2VEDIT_DATA_DIR"


@dataclass(frozen=True)
class ServerFile:
    """What a running server says about itself in `server.json`."""

    address: str
    """`host:port`."""
    pid: int
    version: str


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

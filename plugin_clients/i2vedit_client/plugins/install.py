"""Installs, lists and uninstalls. Every file that was written is on record, and only those are taken away."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from i2vedit_client.errors import BadInput, ClientError, ExitCode, Failure
from i2vedit_client.files import read_json_file, write_json_file, write_whole
from i2vedit_client.plugins.hosts import PLUGINS, Plugin
from i2vedit_client.plugins.launcher import answers, launcher_path, write_launcher
from i2vedit_client.plugins.machine import Machine

RECORD_FILE = "installed.json"


@dataclass(frozen=True)
class State:
    """How a host's plugin stands."""

    host: str
    found: list[Path]
    """Folders of the host on this machine."""
    installed: list[Path]
    """Files that were written, and are still there as they were written."""
    problem: str
    """Empty where nothing is wrong."""


def plugin(host: str) -> Plugin:
    """Raises BadInput."""
    if host not in PLUGINS:
        raise BadInput(f"There is no plugin for '{host}'. There are: {', '.join(PLUGINS)}.")
    return PLUGINS[host]


def install(host: str, machine: Machine) -> list[Path]:
    """Writes the launcher and the host's files; gives what was written. Raises ClientError HOST_NOT_FOUND or OUTPUT_NOT_WRITABLE."""
    wanted = plugin(host)
    folders = wanted.folders(machine)
    if not folders:
        sentence = f"{wanted.title} was not found on this machine. Start it once, so that it makes its folders, and try again."
        raise ClientError(Failure("NOT_FOUND", "HOST_NOT_FOUND", sentence), ExitCode.FAILED)
    try:
        launcher = write_launcher(machine)
        files = [file for folder in folders for file in wanted.files(machine, folder, launcher)]
        for file in files:
            file.path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file.path, file.content)
        _save(machine, host, {str(file.path): hashlib.sha256(file.content).hexdigest() for file in files})
    except OSError as error:
        sentence = f"{error.filename} cannot be written ({error.strerror}). Run the command as somebody who may, or copy the file yourself."
        raise ClientError(Failure("FAILED_PRECONDITION", "OUTPUT_NOT_WRITABLE", sentence), ExitCode.FAILED) from error
    return list(dict.fromkeys(file.path for file in files))


def uninstall(host: str, machine: Machine) -> list[Path]:
    """Takes away what was written for a host, and folders that are empty then; gives what is gone. Raises ClientError."""
    plugin(host)
    record = _record(machine)
    mine = set(record.pop(host, {}))
    shared = {path for files in record.values() for path in files}
    gone = [Path(path) for path in sorted(mine - shared)]
    try:
        for path in gone:
            path.unlink(missing_ok=True)
            _remove_empty(path.parent)
        if record:
            write_json_file(machine.plugins / RECORD_FILE, record)
        else:
            (machine.plugins / RECORD_FILE).unlink(missing_ok=True)
            launcher_path(machine).unlink(missing_ok=True)
            _remove_empty(machine.plugins)
    except OSError as error:
        sentence = f"{error.filename} cannot be taken away ({error.strerror}). Close the host, and try again."
        raise ClientError(Failure("FAILED_PRECONDITION", "OUTPUT_NOT_WRITABLE", sentence), ExitCode.FAILED) from error
    return gone


def _remove_empty(folder: Path) -> None:
    """Our own folders alone: the host's stay, even empty ones."""
    if folder.name in ("i2vedit", "plugins", "__pycache__") and folder.is_dir():
        for cache in folder.glob("__pycache__/*"):
            cache.unlink()
        for cached in folder.glob("__pycache__"):
            cached.rmdir()
        if not any(folder.iterdir()):
            folder.rmdir()


def state(host: str, machine: Machine) -> State:
    """How the plugin of a host stands, looked at file by file."""
    wanted = plugin(host)
    found, written = wanted.folders(machine), _record(machine).get(host, {})
    whole = [Path(path) for path, digest in written.items() if _digest(Path(path)) == digest]
    launcher = launcher_path(machine)
    problem = ""
    if written and len(whole) < len(written):
        missing = sorted(set(written) - set(map(str, whole)))
        problem = f"{missing[0]} is gone or was changed"
    elif written and any(not any(path.is_relative_to(folder) for path in whole) for folder in found):
        problem = "a version of it came later, and has no plugin yet"
    elif written and launcher.is_file() and _outdated(host, machine, launcher, whole):
        problem = "its files are those of another version of i2vedit"
    elif written and not launcher.is_file():
        problem = f"the launcher {launcher} is gone"
    return State(host, found, whole, problem)


def _outdated(host: str, machine: Machine, launcher: Path, whole: list[Path]) -> bool:
    wanted = PLUGINS[host]
    files = {file.path: file.content for folder in wanted.folders(machine) for file in wanted.files(machine, folder, launcher)}
    return any(path in files and files[path] != path.read_bytes() for path in whole)


def launcher_answers(machine: Machine) -> bool:
    """Whether plugins can run the command."""
    return answers(launcher_path(machine))


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _record(machine: Machine) -> dict[str, Any]:
    return read_json_file(machine.plugins / RECORD_FILE) or {}


def _save(machine: Machine, host: str, files: dict[str, str]) -> None:
    write_json_file(machine.plugins / RECORD_FILE, {**_record(machine), host: files})

"""Every setting of the config file: its name, what it may be, and the field of ServerConfig that it sets."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from i2vedit_core.errors import BridgeError
from i2vedit_server.config import Executor, TlsFiles, checked_listen_address, checked_ray_address

GIGABYTE = 10**9
GIBIBYTE = 2**30
LOG_LEVELS = ("debug", "info", "warning", "error")
MOST_WORKERS = 64

Read = Callable[[object, Path], object]
"""From what tomllib gave, and the folder of the file, to the value of the field. Raises ValueError for any other value."""


@dataclass(frozen=True)
class Key:
    """One setting."""

    name: str
    """With the table that it stands in: `tls.key`."""
    field: str
    """Of ServerConfig; `tls.*` and `limits.*` are those of TlsFiles and Limits."""
    read: Read
    what: str
    """What it may be, for the sentence that refuses anything else."""
    example: str
    """As TOML."""


def _number(lowest: float, highest: float = math.inf, above: bool = False) -> Read:
    def read(value: object, _: Path) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError
        if not lowest <= value <= highest or (above and value == lowest):
            raise ValueError
        return float(value)

    return read


def _count(lowest: int, highest: int) -> Read:
    def read(value: object, _: Path) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            raise ValueError
        return value

    return read


def _bytes(unit: int, lowest: float) -> Read:
    """A number of `unit`s; fractions are taken."""
    number = _number(lowest, 10**6)

    def read(value: object, folder: Path) -> int:
        found = number(value, folder)
        assert isinstance(found, float)
        return round(found * unit)

    return read


def _days(value: object, folder: Path) -> float:
    """As seconds."""
    found = _number(0, 36_500, above=True)(value, folder)
    assert isinstance(found, float)
    return found * 86400


def _address(value: object, _: Path) -> str:
    """Only its form is looked at; whether it needs a certificate is seen when all settings are known."""
    if not isinstance(value, str):
        raise ValueError
    try:
        checked_listen_address(value, TlsFiles(Path(), Path()))
    except BridgeError as error:
        raise ValueError from error
    return value


def _level(value: object, _: Path) -> str:
    if not isinstance(value, str) or value not in LOG_LEVELS:
        raise ValueError
    return value


def _executor(value: object, _: Path) -> Executor:
    if not isinstance(value, str):
        raise ValueError
    return Executor(value)


def _ray_address(value: object, _: Path) -> str:
    if not isinstance(value, str):
        raise ValueError
    return checked_ray_address(value)


def _path(value: object, folder: Path) -> Path:
    """Relative to the folder of the config file."""
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError
    return folder / Path(value).expanduser()


def _folders(value: object, folder: Path) -> tuple[Path, ...]:
    if not isinstance(value, list):
        raise ValueError
    return tuple(_path(each, folder) for each in value)


_SECONDS = "a number of seconds above 0"

KEYS: tuple[Key, ...] = (
    Key("listen", "listen", _address, "a numeric address and a port in quotes", '"127.0.0.1:0"'),
    Key("idle_exit_seconds", "idle_exit_seconds", _number(0, above=True), _SECONDS, "600"),
    Key("cancel_grace_seconds", "cancel_grace_seconds", _number(0, above=True), _SECONDS, "15"),
    Key("stop_grace_seconds", "stop_grace_seconds", _number(0, above=True), _SECONDS, "30"),
    Key("free_gpu_after_seconds", "worker_idle_seconds", _number(0, above=True), _SECONDS, "120"),
    Key("worker_silence_seconds", "worker_silence_seconds", _number(0, above=True), _SECONDS, "30"),
    Key("step_seconds", "step_seconds", _number(0, above=True), _SECONDS, "1800"),
    Key("artifact_gigabytes", "artifact_bytes", _bytes(GIGABYTE, 0), "a number of gigabytes, 0 or more", "20"),
    Key("artifacts_folder", "artifacts_folder", _path, "the path of a folder in quotes", '"/projects/i2vedit"'),
    Key("executor", "executor", _executor, f"one of {', '.join(Executor)}, in quotes", '"local"'),
    Key("ray_address", "ray_address", _ray_address, "auto, or host and port, in quotes", '"10.0.0.5:6379"'),
    Key("workers", "workers", _count(1, MOST_WORKERS), f"a whole number from 1 to {MOST_WORKERS}", "2"),
    Key("log_level", "log_level", _level, f"one of {', '.join(LOG_LEVELS)}, in quotes", '"info"'),
    Key("tls.certificate", "tls.certificate", _path, "the path of a PEM file in quotes", '"server.pem"'),
    Key("tls.key", "tls.key", _path, "the path of a PEM file in quotes", '"server.key"'),
    Key("remote.roots", "roots", _folders, "a list of folders, each in quotes", '["/projects"]'),
    Key("remote.upload_gigabytes", "upload_bytes", _bytes(GIGABYTE, 0), "a number of gigabytes, 0 or more", "100"),
    Key("remote.kept_gigabytes", "kept_bytes", _bytes(GIGABYTE, 0), "a number of gigabytes, 0 or more", "200"),
    Key("remote.kept_days", "kept_seconds", _days, "a number of days above 0", "30"),
    Key("limits.clip_frames", "limits.clip_frames", _count(1, 2**31), "a whole number of frames, 1 or more", "2000000"),
    Key("limits.clip_hours", "limits.clip_hours", _number(0, 10**6, above=True), "a number of hours above 0", "24"),
    Key("limits.side_pixels", "limits.side_pixels", _count(16, 65_536), "a whole number of pixels from 16 to 65536", "16384"),
    Key("limits.clip_megapixels", "limits.clip_megapixels", _count(1, 4096), "a whole number of megapixels from 1 to 4096", "64"),
    Key("limits.picture_megapixels", "limits.picture_megapixels", _count(1, 4096), "a whole number of megapixels from 1 to 4096", "256"),
    Key("limits.reader_memory_gigabytes", "limits.reader_memory_bytes", _bytes(GIBIBYTE, 0.5), "a number of gigabytes, 0.5 or more", "6"),
)

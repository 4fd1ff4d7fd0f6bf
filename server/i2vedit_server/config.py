"""What the server was started with, checked before anything is opened."""

import ipaddress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.media.limits import Limits

DEFAULT_RUNNER = "i2vedit_server.runner:run_job"
RAY_RUNNER = "i2vedit_server.farm.runner:run_job"


class Executor(StrEnum):
    """Where a job's work is done."""

    LOCAL = "local"
    """In worker processes of this machine."""
    RAY = "ray"
    """There as well, but shots are prepared on a Ray cluster."""


@dataclass(frozen=True)
class TlsFiles:
    """PEM files. Absolute."""

    certificate: Path
    """The server's own certificate, followed by those that lead to a known authority."""
    key: Path


@dataclass(frozen=True)
class ServerConfig:
    """Options of one server process."""

    data_folder: Path
    """Absolute."""
    listen: str = "127.0.0.1:0"
    """`HOST:PORT`; port 0 takes a free one."""
    idle_exit_seconds: float | None = None
    """None: runs until it is told to stop."""
    cancel_grace_seconds: float = 15.0
    """How long a cancelled job may take to its next step before its worker process is ended."""
    stop_grace_seconds: float = 30.0
    """How long a server that is told to stop waits for the running job to finish its step and write its checkpoint."""
    worker_idle_seconds: float = 120.0
    """How long a worker without a job keeps its process, and with it the card's memory."""
    worker_silence_seconds: float = 30.0
    """A worker process that gives no sign of life for so long hangs: it is ended, and its job goes back into the queue."""
    step_seconds: float = 1800.0
    """A job that makes no step for so long hangs, too, however alive its process is."""
    artifact_bytes: int = 20 * 10**9
    """What is kept of prepared shots on disk; those used longest ago go first. A shot of SVD takes about 100 MB a chunk."""
    log_level: str = "info"
    tls: TlsFiles | None = None
    """None: only addresses of this machine are listened on."""
    roots: tuple[Path, ...] = ()
    """Folders that callers from elsewhere may name paths in, beside what they have uploaded. Absolute."""
    upload_bytes: int = 100 * 10**9
    """The largest file that is taken as an upload."""
    kept_bytes: int = 200 * 10**9
    """What is kept of uploads and of deliveries for callers from elsewhere; those used longest ago go first."""
    kept_seconds: float = 30 * 86400.0
    """How long they are kept after they were used last."""
    artifacts_folder: Path | None = None
    """Where prepared shots are kept; None: in the data folder. With Ray, a folder that every node has under this name. Absolute."""
    executor: Executor = Executor.LOCAL
    ray_address: str = "auto"
    """`HOST:PORT` of the cluster's head; `auto` for the cluster that this machine belongs to."""
    workers: int = 1
    """Jobs that run side by side, each in a worker process of its own and, where there are several, on a card of its own."""
    limits: Limits = field(default_factory=Limits)
    runner: str = DEFAULT_RUNNER
    """`module:function` that the worker process calls for each job."""

    @property
    def job_runner(self) -> str:
        """The runner of this executor, where no other one was named."""
        return RAY_RUNNER if self.executor is Executor.RAY and self.runner == DEFAULT_RUNNER else self.runner

    @property
    def ray_environment(self) -> dict[str, str]:
        """What processes that talk to Ray are told; empty without Ray."""
        return {"RAY_ADDRESS": self.ray_address, "RAY_USAGE_STATS_ENABLED": "0"} if self.executor is Executor.RAY else {}


def checked_ray_address(text: str) -> str:
    """`auto` or `HOST:PORT`. Raises ValueError."""
    host, _, port = text.rpartition(":")
    if text != "auto" and not (host and "/" not in host and port.isdecimal() and 0 < int(port) <= 65535):
        raise ValueError(text)
    return text


@dataclass(frozen=True)
class ListenAddress:
    """A checked address: `text` is `HOST:PORT` with a numeric host."""

    text: str
    is_loopback: bool


def checked_listen_address(listen: str, tls: TlsFiles | None = None) -> ListenAddress:
    """The address with a numeric host (`localhost` becomes 127.0.0.1).

    Raises BridgeError LISTEN_ADDRESS_INVALID, and TLS_REQUIRED for an address that others on the network could reach without TLS.
    """
    host, _, port = listen.rpartition(":")
    if not (port.isdecimal() and int(port) <= 65535):
        raise _invalid_address(listen)
    name = "127.0.0.1" if host == "localhost" else host.removeprefix("[").removesuffix("]")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        raise _invalid_address(listen) from None
    if not address.is_loopback and tls is None:
        sentence = (
            f"The server does not listen on {listen}: without TLS anybody on the network could read its token and start jobs. "
            "Give it a certificate with --tls-certificate and --tls-key, or listen on 127.0.0.1 and reach it through an SSH tunnel."
        )
        raise BridgeError(Code.FAILED_PRECONDITION, Reason.TLS_REQUIRED, sentence)
    return ListenAddress(f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}", address.is_loopback)


def _invalid_address(listen: str) -> BridgeError:
    sentence = f"'{listen}' is not an address to listen on; give a numeric host and a port, such as 127.0.0.1:0 or [::1]:50051."
    return BridgeError(Code.INVALID_ARGUMENT, Reason.LISTEN_ADDRESS_INVALID, sentence)

"""A Ray cluster of one node on this machine, which ends with its test."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
from tests.server.harness import server_environment, wait_for

START_SECONDS = 120.0
TASK = "ray::prepare_chunk"


OPEN = {"RAY_AUTH_MODE": "disabled"}
"""For the environment. By default a cluster asks for a token where there is one in the home folder."""


def a_token() -> dict[str, str]:
    """For the environment: another one each time."""
    return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}


class RayCluster:
    """Two CPUs. `inside` is a command that the node is run by, such as `unshare`."""

    def __init__(self, inside: Sequence[str] = ()) -> None:
        self._folder = tempfile.mkdtemp(prefix="ray")  # sockets lie in it, whose paths must be short
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{taken.getsockname()[1]}"
        ray = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--node-ip-address=127.0.0.1"]
        size = ["--num-cpus=2", "--num-gpus=0", "--object-store-memory=100000000"]
        place = [f"--port={self.address.rpartition(':')[2]}", f"--temp-dir={self._folder}"]
        quiet = ["--include-dashboard=false", "--disable-usage-stats"]
        self._log = (Path(self._folder) / "start.log").open("w+")
        self.process = subprocess.Popen(
            [*inside, *ray, *size, *place, *quiet], env=server_environment(), stdout=self._log, stderr=subprocess.STDOUT
        )
        try:
            wait_for(self._is_up, START_SECONDS)
        except BaseException:
            self.close()
            raise

    def _is_up(self) -> bool:
        self._log.flush()
        text = (Path(self._folder) / "start.log").read_text()
        assert self.process.poll() is None, text
        return "Ray runtime started" in text

    def tasks(self) -> list[psutil.Process]:
        """Processes that prepare a chunk just now."""
        return [child for child in psutil.Process(self.process.pid).children(recursive=True) if _title(child).startswith(TASK)]

    def close(self) -> None:
        """Ends every process of it."""
        processes = psutil.Process(self.process.pid).children(recursive=True) if self.process.poll() is None else []
        self.process.send_signal(signal.SIGTERM)
        end = time.monotonic() + 15
        psutil.wait_procs(processes, max(end - time.monotonic(), 0))
        for process in processes:
            if process.is_running():
                process.kill()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._log.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return ""


def can_unshare() -> bool:
    """Whether a process may be given a file system of its own here."""
    tool = shutil.which("unshare")
    if tool is None or os.name == "nt":
        return False
    command = [tool, "--mount", "sh", "-c", "mount -t tmpfs tmpfs /mnt"]
    return subprocess.run(command, capture_output=True).returncode == 0

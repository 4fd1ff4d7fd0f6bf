"""How busy an NVIDIA card of this machine is, as its own tool says."""

import shutil
import subprocess
from dataclasses import dataclass

ASK_SECONDS = 5.0
QUERY = ("--query-gpu=utilization.gpu,memory.used,memory.total", "--format=csv,noheader,nounits")
MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True)
class Load:
    """Of the first card."""

    percent: int
    used_bytes: int
    total_bytes: int


def read_load() -> Load | None:
    """None where there is no such card or its tool does not answer."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    try:
        answer = subprocess.run([tool, *QUERY], capture_output=True, text=True, timeout=ASK_SECONDS, stdin=subprocess.DEVNULL)
        percent, used, total = (int(part) for part in answer.stdout.splitlines()[0].split(","))
    except (OSError, subprocess.TimeoutExpired, ValueError, IndexError):
        return None
    return Load(percent, used * MEBIBYTE, total * MEBIBYTE)

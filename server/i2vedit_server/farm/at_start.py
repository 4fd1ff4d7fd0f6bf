"""Whether a server with the executor `ray` can begin, asked in a process of its own: the server process imports no Ray."""

import json
import os
import subprocess
import sys
from pathlib import Path

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_server.config import Executor, ServerConfig
from i2vedit_server.farm.cluster import lets_nobody_in

LONGEST_SECONDS = 90.0


def require_cluster(config: ServerConfig, artifacts: Path) -> int | None:
    """How many nodes there are for jobs; None without Ray.

    Raises BridgeError LIBRARY_MISSING, RAY_UNREACHABLE, RAY_UNSUITABLE, STORAGE_NOT_SHARED, VERSION_MISMATCH, OUTPUT_NOT_WRITABLE,
    DISK_FULL.
    """
    if config.executor is not Executor.RAY:
        return None
    command = [sys.executable, "-m", "i2vedit_server.farm.check", str(artifacts)]
    environment = {**os.environ, **config.ray_environment}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LONGEST_SECONDS)
        told = json.loads(done.stdout.splitlines()[-1])
    except (subprocess.TimeoutExpired, ValueError, IndexError):
        raise lets_nobody_in(config.ray_address) from None
    if "reason" in told:
        raise BridgeError(Code(told["code"]), Reason(told["reason"]), told["sentence"])
    return int(told["nodes"])

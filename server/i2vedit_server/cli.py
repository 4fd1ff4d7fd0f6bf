"""The server's own command line: options in, exit code out."""

import argparse
import asyncio
import logging
import math
import sys
from pathlib import Path

from i2vedit_core.errors import BridgeError
from i2vedit_server.app import serve
from i2vedit_server.config import DEFAULT_RUNNER, ServerConfig, default_data_folder
from i2vedit_server.logs import log_to_stderr


def _seconds(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and value > 0):
        raise ValueError(text)
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m i2vedit_server", description="The I2VEdit Bridge server.")
    parser.add_argument("--data-dir", type=Path, default=None, help="folder for jobs, token and logs (default: the user's data folder)")
    parser.add_argument("--listen", default="127.0.0.1:0", metavar="ADDR", help="address and port, port 0 for a free one")
    parser.add_argument(
        "--idle-exit", type=_seconds, default=None, metavar="SECONDS", help="end after so many seconds without work or calls"
    )
    parser.add_argument("--cancel-grace", type=_seconds, default=15.0, metavar="SECONDS", help="how long a cancelled job may take to stop")
    parser.add_argument(
        "--free-gpu-after", type=_seconds, default=120.0, metavar="SECONDS", help="give the card's memory back after so long without a job"
    )
    parser.add_argument(
        "--worker-silence", type=_seconds, default=30.0, metavar="SECONDS", help="end a worker that gives no sign of life for so long"
    )
    parser.add_argument(
        "--longest-step", type=_seconds, default=1800.0, metavar="SECONDS", help="end a worker whose job makes no step for so long"
    )
    parser.add_argument("--executor", choices=["local"], default="local", help="where jobs run")
    parser.add_argument("--runner", default=DEFAULT_RUNNER, help=argparse.SUPPRESS)
    return parser


def main(arguments: list[str]) -> int:
    """Runs the server until it is told to stop. Returns 0, or 1 where it may not or cannot start (the reason is on stderr)."""
    options = _parser().parse_args(arguments)
    data_folder = (options.data_dir or default_data_folder()).expanduser().absolute()
    config = ServerConfig(
        data_folder=data_folder,
        listen=options.listen,
        idle_exit_seconds=options.idle_exit,
        cancel_grace_seconds=options.cancel_grace,
        worker_idle_seconds=options.free_gpu_after,
        worker_silence_seconds=options.worker_silence,
        step_seconds=options.longest_step,
        runner=options.runner,
    )
    log_to_stderr()
    try:
        asyncio.run(serve(config))
    except BridgeError as error:
        sys.stderr.write(f"{error.sentence}\n")
        return 1
    finally:
        logging.shutdown()
    return 0

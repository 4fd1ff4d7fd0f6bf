"""The server's own command line: options in, exit code out. What an option says wins over the config file."""

import argparse
import asyncio
import logging
import math
import sys
from dataclasses import replace
from pathlib import Path

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.locations import data_folder, use_data_folder
from i2vedit_server.app import check, serve
from i2vedit_server.config import DEFAULT_RUNNER, Executor, ServerConfig, TlsFiles, checked_ray_address
from i2vedit_server.config_file import read_config
from i2vedit_server.config_keys import LOG_LEVELS, MOST_WORKERS
from i2vedit_server.logs import log_to_stderr, set_level


def _seconds(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and value > 0):
        raise ValueError(text)
    return value


def _workers(text: str) -> int:
    value = int(text)
    if not 1 <= value <= MOST_WORKERS:
        raise ValueError(text)
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m i2vedit_server", description="The I2VEdit Bridge server.")
    add = parser.add_argument
    add("--data-dir", type=Path, help="folder for jobs, token and logs (default: the user's data folder)")
    add("--config", type=Path, metavar="FILE", help="settings (default: config.toml in the data folder, where there is one)")
    add("--listen", metavar="ADDR", help="address and port, port 0 for a free one (default: 127.0.0.1:0)")
    add("--tls-certificate", type=Path, metavar="FILE", help="PEM; with it addresses that others can reach may be listened on")
    add("--tls-key", type=Path, metavar="FILE", help="PEM, the key of the certificate")
    add("--idle-exit", type=_seconds, metavar="SECONDS", help="end after so many seconds without work or calls")
    add("--cancel-grace", type=_seconds, metavar="SECONDS", help="how long a cancelled job may take to stop (default: 15)")
    add("--stop-grace", type=_seconds, metavar="SECONDS", help="how long a running job may take to its checkpoint at the end (default: 30)")
    add("--free-gpu-after", type=_seconds, metavar="SECONDS", help="give the card's memory back after so long without a job (default: 120)")
    add("--worker-silence", type=_seconds, metavar="SECONDS", help="end a worker that gives no sign of life for so long (default: 30)")
    add("--longest-step", type=_seconds, metavar="SECONDS", help="end a worker whose job makes no step for so long (default: 1800)")
    add("--log-level", choices=LOG_LEVELS, help="default: info")
    add("--executor", type=Executor, choices=list(Executor), help="where shots are prepared (default: local, on this machine)")
    add("--ray-address", type=checked_ray_address, metavar="ADDR", help="head of the Ray cluster (default: auto, this machine's)")
    add("--workers", type=_workers, metavar="N", help="jobs that run side by side, each on a card of its own where there are several")
    add("--artifacts-dir", type=Path, metavar="FOLDER", help="where prepared shots are kept; with Ray, a folder that all nodes share")
    add("--check", action="store_true", help="say as JSON whether settings, certificate and data folder can be used, and end")
    # For a server that a command starts by itself: the config file may say otherwise.
    add("--idle-exit-default", type=_seconds, help=argparse.SUPPRESS)
    add("--runner", default=DEFAULT_RUNNER, help=argparse.SUPPRESS)
    return parser


def configured(options: argparse.Namespace) -> ServerConfig:
    """Defaults, then the config file, then what was given as options. Raises BridgeError CONFIG_INVALID, TLS_UNUSABLE."""
    folder = options.data_dir.expanduser().absolute() if options.data_dir else data_folder()
    started = ServerConfig(folder, idle_exit_seconds=options.idle_exit_default, runner=options.runner)
    config = read_config(started, options.config)
    given = {
        "listen": options.listen,
        "idle_exit_seconds": options.idle_exit,
        "cancel_grace_seconds": options.cancel_grace,
        "stop_grace_seconds": options.stop_grace,
        "worker_idle_seconds": options.free_gpu_after,
        "worker_silence_seconds": options.worker_silence,
        "step_seconds": options.longest_step,
        "log_level": options.log_level,
        "tls": _tls_files(options),
        "executor": options.executor,
        "ray_address": options.ray_address,
        "workers": options.workers,
        "artifacts_folder": options.artifacts_dir and options.artifacts_dir.expanduser().absolute(),
    }
    return replace(config, **{name: value for name, value in given.items() if value is not None})


def _tls_files(options: argparse.Namespace) -> TlsFiles | None:
    certificate, key = options.tls_certificate, options.tls_key
    if (certificate is None) != (key is None):
        sentence = "A certificate and its key belong together; give both --tls-certificate and --tls-key."
        raise BridgeError(Code.INVALID_ARGUMENT, Reason.TLS_UNUSABLE, sentence)
    return TlsFiles(certificate.expanduser().absolute(), key.expanduser().absolute()) if certificate else None


def main(arguments: list[str]) -> int:
    """Runs the server until it is told to stop. Returns 0, or 1 where it may not or cannot start (the reason is on stderr)."""
    options = _parser().parse_args(arguments)
    try:
        config = configured(options)
        use_data_folder(config.data_folder)
        set_level(config.log_level)
        if options.check:
            sys.stdout.write(check(config) + "\n")
            return 0
        log_to_stderr()
        asyncio.run(serve(config))
    except BridgeError as error:
        sys.stderr.write(f"{error.sentence}\n")
        return 1
    finally:
        logging.shutdown()
    return 0

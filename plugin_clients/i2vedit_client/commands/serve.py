"""`i2vedit serve`: the server in the foreground, or at every login."""

import functools
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from i2vedit_client.discovery import data_folder
from i2vedit_client.errors import BadInput
from i2vedit_client.launch import require_server_packages
from i2vedit_client.login_start import install, login_start, uninstall
from i2vedit_client.report import write_line
from i2vedit_client.spec import absolute

SECONDS = click.FloatRange(min=0, min_open=True)


def _absolute(ctx: click.Context, option: click.Parameter, path: str | None) -> str | None:
    """A server that starts at login looks from another folder."""
    return None if path is None else absolute(path)


path_option = functools.partial(click.option, callback=_absolute)


@click.command("serve")
@path_option("--data-dir", metavar="D", help="Folder for jobs, token and logs. Default: the user's data folder.")
@path_option("--config", metavar="FILE", help="Settings (docs/server.md). Default: config.toml in the data folder, if there.")
@click.option("--listen", metavar="ADDR", help="Address and port. Default: 127.0.0.1 and a free port.")
@path_option("--tls-certificate", metavar="FILE", help="PEM. With it, addresses that other machines reach may be listened on.")
@path_option("--tls-key", metavar="FILE", help="PEM, the key of the certificate.")
@click.option("--idle-exit", type=SECONDS, metavar="SECONDS", help="End after so long without work.")
@click.option("--free-gpu-after", type=SECONDS, metavar="SECONDS", help="Free the GPU after so long without a job.")
@click.option("--cancel-grace", type=SECONDS, metavar="SECONDS", help="Give a cancelled job so long to stop.")
@click.option("--stop-grace", type=SECONDS, metavar="SECONDS", help="At the end, wait so long for the running job's checkpoint.")
@click.option("--worker-silence", type=SECONDS, metavar="SECONDS", help="End a worker that gives no sign of life for so long.")
@click.option("--longest-step", type=SECONDS, metavar="SECONDS", help="End a worker whose job makes no step for so long.")
@click.option("--executor", type=click.Choice(["local", "ray"]), help="Where shots are prepared. Default: local, on this machine.")
@click.option("--ray-address", metavar="ADDR", help="Head of the Ray cluster, HOST:PORT. Default: auto, the one of this machine.")
@click.option("--workers", type=click.IntRange(1, 64), help="Jobs side by side, on a card each if there are several. Default: 1.")
@path_option("--artifacts-dir", metavar="FOLDER", help="Where prepared shots are kept. With Ray, a folder all nodes share.")
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), help="How much the log holds. Default: info.")
@click.option("--install", "install_it", is_flag=True, help="Start the server now and at every login, instead of in this terminal.")
@click.option("--uninstall-service", is_flag=True, help="Start it at login no more.")
def command(data_dir: str | None, install_it: bool, uninstall_service: bool, **settings: Any) -> None:
    """Run the server in this terminal, until Ctrl-C."""
    options = {option.name: option.opts[0] for option in command.params}
    given = {options[name]: value for name, value in settings.items() if value is not None}
    if install_it or uninstall_service:
        _at_login(data_dir, install_it, list(given))
        return
    require_server_packages()
    if data_dir is not None:
        given["--data-dir"] = data_dir
    _run([part for name, value in given.items() for part in (name, str(value))])


def _at_login(data_dir: str | None, install_it: bool, others: list[str]) -> None:
    folder = Path(data_dir) if data_dir is not None else data_folder()
    if not install_it:
        write_line(uninstall(login_start(folder)))
        return
    if others:
        raise BadInput(f"A server that starts at login takes its settings from {folder / 'config.toml'}; write {others[0]} there.")
    require_server_packages()
    folder.mkdir(parents=True, exist_ok=True)
    write_line(install(login_start(folder)))


def _run(options: list[str]) -> None:
    server = [sys.executable, "-m", "i2vedit_server", *options]
    if os.name != "nt":
        # The server takes the place of this process, so that signals reach it directly.
        os.execv(server[0], server)
    process = subprocess.Popen(server)
    while process.poll() is None:
        try:
            process.wait()
        except KeyboardInterrupt:
            # The console has told the server as well; its exit is awaited.
            continue
    sys.exit(process.returncode)

"""`i2vedit serve`: the server in the foreground."""

import os
import subprocess
import sys

import click

from i2vedit_client.launch import require_server_packages
from i2vedit_client.spec import absolute


@click.command("serve")
@click.option("--data-dir", metavar="D", help="Folder for jobs, token and logs. Default: the user's data folder.")
@click.option("--listen", metavar="ADDR", help="Address and port. Default: 127.0.0.1 and a free port.")
@click.option("--idle-exit", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="End after so long without work.")
@click.option(
    "--free-gpu-after",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Free the GPU after so long without a job.",
)
@click.option("--executor", type=click.Choice(["local"]), help="Where jobs run. Default: local, in a worker process of this machine.")
def command(data_dir: str | None, listen: str | None, idle_exit: float | None, free_gpu_after: float | None, executor: str | None) -> None:
    """Run the server in this terminal, until Ctrl-C."""
    require_server_packages()
    given = {
        "--data-dir": data_dir and absolute(data_dir),
        "--listen": listen,
        "--idle-exit": idle_exit,
        "--free-gpu-after": free_gpu_after,
        "--executor": executor,
    }
    server = [sys.executable, "-m", "i2vedit_server"]
    server += [part for name, value in given.items() if value is not None for part in (name, str(value))]
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

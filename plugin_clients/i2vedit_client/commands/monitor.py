"""`i2vedit monitor`: the window, in a process of its own since it brings Qt along."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import click

from i2vedit_client.errors import BadInput, ClientError, ExitCode, Failure
from i2vedit_client.installing import install_command
from i2vedit_client.report import write_line
from i2vedit_client.spec import absolute

PACKAGES = ("PySide6", "pyqtgraph", "numpy", "OpenImageIO")


@click.command("monitor")
@click.argument("clip", required=False)
@click.option("--screenshot", metavar="FILE", help="Save a picture of the window as it is now (PNG), and end.")
def command(clip: str | None, screenshot: str | None) -> None:
    """Open the window: jobs, training and results. With CLIP it begins a new shot.

    It starts a server if none runs, except for a picture. Closing it leaves every job as it is.
    """
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        sentence = f"The window's packages are missing ({', '.join(missing)}). Run: {install_command('monitor')}"
        raise ClientError(Failure("FAILED_PRECONDITION", "MONITOR_NOT_INSTALLED", sentence), ExitCode.FAILED)
    options = []
    if screenshot is not None:
        target = Path(absolute(screenshot))
        if not target.parent.is_dir():
            raise BadInput(f"The folder {target.parent} is not there; make it, or choose another one with --screenshot.")
        options = ["--screenshot", str(target)]
    if clip is not None:
        options += ["--clip", absolute(clip)]
    code = subprocess.call([sys.executable, "-m", "i2vedit_monitor", *options])
    if code != 0:
        sentence = "The window could not be opened; what it said last stands above."
        raise ClientError(Failure("FAILED_PRECONDITION", "MONITOR_FAILED", sentence), ExitCode.FAILED)
    if screenshot is not None:
        write_line(absolute(screenshot))

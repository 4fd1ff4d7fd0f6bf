"""`i2vedit demo`: the whole way once, on the bundled shot, with a server of its own."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import FrameType, TracebackType
from typing import NoReturn, Self

import click

from i2vedit_client.client import Client
from i2vedit_client.commands.options import PRESETS, json_option
from i2vedit_client.errors import ClientError, ExitCode, Failure, Interrupted
from i2vedit_client.launch import Started, require_server_packages, running_client, start_server, wait_for_server
from i2vedit_client.painted import Painted
from i2vedit_client.report import open_report, write_line
from i2vedit_client.spec import PropagateOptions, absolute, job_spec
from i2vedit_client.submit import submit, watch

IDLE_SECONDS = 60
STOP_SECONDS = 10.0
PICTURES = ("preview.mp4", "contact_sheet.png")
MARK = ".i2vedit-demo"
"""Says that the files of these names are an earlier demo's, so that they may be replaced."""


@click.command("demo")
@click.option("--out", default="i2vedit_demo", show_default=True, metavar="DIR", help="Folder that receives everything.")
@click.option("--preset", type=click.Choice(PRESETS), default="full", show_default=True, help="How much time to spend.")
@json_option
def command(out: str, preset: str, as_json: bool) -> None:
    """Carry a painted frame through the bundled shot.

    Starts a server of its own and ends it again. Leaves in DIR the shot, its painted frame, the delivered EXR sequence,
    preview.mp4 and contact_sheet.png.
    """
    require_server_packages()
    directory = Path(absolute(out))
    _make_folder(directory)
    _claim(directory)
    make_shot(directory)
    clip, edited = str(directory / "shot.mp4"), str(directory / "edited.png")
    options = PropagateOptions(clip=clip, edits=(Painted(edited),), directory=str(directory), preset=preset)
    signal.signal(signal.SIGTERM, _stop)
    with _PrivateServer() as server, open_report(as_json) as report:
        with server.connect() as client:
            job = submit(client, job_spec(options), report)
        try:
            job = watch(server.connect, job.name, report)
        except Interrupted as error:
            # This server ends with the command, and the job with it.
            failure = Failure(error.failure.code, error.failure.reason, "The demo was stopped.", job.name)
            raise ClientError(failure, ExitCode.INTERRUPTED) from None
    _copy_pictures(Path(job.delivered_directory), directory)
    if not as_json:
        write_line(f"Look at {directory / PICTURES[0]} and {directory / PICTURES[1]}.")


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    """A terminated demo takes its server with it."""
    raise KeyboardInterrupt


def _make_folder(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        sentence = f"The folder {directory} cannot be made ({error.strerror}); choose another one with --out."
        raise ClientError(Failure("FAILED_PRECONDITION", "OUTPUT_NOT_WRITABLE", sentence), ExitCode.BAD_INPUT) from error


def _claim(directory: Path) -> None:
    """Nobody's own files are overwritten: names that the demo uses must be free, or an earlier demo's."""
    mark = directory / MARK
    taken = [name for name in ("shot.mp4", "edited.png", *PICTURES) if (directory / name).exists()]
    if taken and not mark.exists():
        sentence = f"{directory} has a {taken[0]} that is not the demo's; choose another folder with --out."
        raise ClientError(Failure("FAILED_PRECONDITION", "OUTPUT_NOT_WRITABLE", sentence), ExitCode.BAD_INPUT)
    mark.touch()


def make_shot(directory: Path) -> None:
    """Writes shot.mp4 and edited.png, in a process of its own since the picture work is core's. Raises ClientError."""
    made = subprocess.run(
        [sys.executable, "-m", "i2vedit_core.synthetic.demo", str(directory)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    if made.returncode != 0:
        lines = made.stderr.strip().splitlines() or ["it gave no reason."]
        sentence = f"The demo shot could not be written into {directory}: {lines[-1]}"
        raise ClientError(Failure("FAILED_PRECONDITION", "OUTPUT_NOT_WRITABLE", sentence), ExitCode.BAD_INPUT)


class _PrivateServer:
    """A server with a data folder of its own; both are gone afterwards."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="i2vedit-demo-"))
        self._started: list[Started] = []

    def connect(self) -> Client:
        """A client of the server, which is started where it does not run."""
        client = running_client(self._folder)
        if client is None:
            self._started.append(start_server(self._folder, IDLE_SECONDS))
            client = wait_for_server(self._folder, self._started[-1])
        return client

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for started in self._started:
            _end(started.process)
        shutil.rmtree(self._folder, ignore_errors=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _copy_pictures(delivered: Path, directory: Path) -> None:
    """Puts the newest preview and contact sheet where they are found at once. Whole or not at all."""
    for name in PICTURES:
        temporary = directory / f".{os.getpid()}-{name}"
        shutil.copyfile(delivered / name, temporary)
        os.replace(temporary, directory / name)

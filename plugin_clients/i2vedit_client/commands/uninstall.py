"""`i2vedit uninstall`: what this program has put on the machine, taken away again."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import click

from i2vedit_client.commands.options import json_option
from i2vedit_client.discovery import data_folder
from i2vedit_client.errors import ClientError, ExitCode, Failure
from i2vedit_client.events import SUCCEEDED
from i2vedit_client.launch import end_server, running_client
from i2vedit_client.login_start import login_start, uninstall
from i2vedit_client.report import write_json, write_line

OURS = ("jobs.sqlite3*", "token*", "server.json*", "server.lock", "*.log", "*.log.*", "config.toml", "monitor.ini*", "i2vedit-server.xml")
OUR_FOLDERS = ("work", "artifacts", "uploads", "deliveries", "backups", "models", "hosts", "plugins")
"""What lies in a data folder. The folder may be one that a person named and has other things in: these stay."""


@click.command("uninstall")
@click.option("--purge", is_flag=True, help="Also end the server and delete all data, after showing it.")
@click.option("--yes", is_flag=True, help="Do not ask before deleting.")
@json_option
def command(purge: bool, yes: bool, as_json: bool) -> None:
    """Take the start at login away. Delivered frames stay where you had them put.

    With --purge all of this program's data goes, too: jobs, token, settings, logs, prepared shots, uploads, models, and the sessions of
    hosts with what was saved in them. Folders outside the data folder stay: that of --artifacts-dir, and that of I2VEDIT_MODELS.

    Plugins go before that, with: i2vedit plugins uninstall HOST. The program itself goes with: pip uninstall i2vedit-bridge
    """
    folder = data_folder()
    said = [uninstall(login_start(folder))]
    if purge:
        said.append(_purge(folder, ask=not yes, as_json=as_json))
    if as_json:
        write_json({"event": SUCCEEDED, "done": said})
    else:
        for line in said:
            write_line(line)


def _purge(folder: Path, ask: bool, as_json: bool) -> str:
    found = {path: _size(path) for path in _ours(folder)}
    if not found:
        return f"There is nothing of this program in {folder}."
    total = sum(found.values())
    if not as_json:
        write_line(f"In {folder}:")
        for path, size in found.items():
            write_line(f"{size / 10**6:>12,.1f} MB  {path.name}")
    if ask and not click.confirm(f"Delete these {total / 10**6:,.1f} MB for good?", default=False, err=True):
        raise click.Abort
    client = running_client(folder)
    if client is not None:
        end_server(folder, client)
    _delete(folder, list(_ours(folder)))
    return f"{total / 10**6:,.1f} MB are deleted from {folder}."


def _ours(folder: Path) -> Iterator[Path]:
    files = sorted({path for pattern in OURS for path in folder.glob(pattern) if path.is_file() and not path.is_symlink()})
    folders = [folder / name for name in OUR_FOLDERS if (folder / name).is_dir() and not (folder / name).is_symlink()]
    return iter([*folders, *files])


def _delete(folder: Path, paths: list[Path]) -> None:
    """Raises ClientError for what stays, such as a file that another program holds open."""
    for path in paths:
        try:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        except OSError as error:
            sentence = f"{path} cannot be deleted ({error.strerror}); close the program that uses it, and try again."
            raise ClientError(Failure("FAILED_PRECONDITION", "OUTPUT_NOT_WRITABLE", sentence), ExitCode.FAILED) from error
    if not any(folder.iterdir()):
        folder.rmdir()


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.lstat().st_size for file in files if file.is_symlink() or file.is_file())

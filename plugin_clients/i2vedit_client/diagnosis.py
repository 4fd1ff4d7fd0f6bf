"""What is wrong on this machine, and how to mend it. Heavy libraries are asked in processes of their own."""

import json
import os
import shutil
import stat
import subprocess
import sys
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Any

from i2vedit_client.discovery import DATA_FOLDER_VARIABLE, SERVER_VARIABLE, named_server, read_server_file, read_token
from i2vedit_client.errors import BadInput, ServerError
from i2vedit_client.finding import Finding
from i2vedit_client.installing import install_command
from i2vedit_client.launch import connect, is_older, missing_server_packages, running_client
from i2vedit_client.words import plan_words

OLDEST_PYTHON = (3, 11)
ENOUGH_BYTES = 5 * 10**9
ASK_SECONDS = 120.0
SOON = timedelta(days=14)
PROXY_VARIABLES = tuple(
    variable for name in ("http_proxy", "https_proxy", "grpc_proxy", "all_proxy", "no_proxy") for variable in (name, name.upper())
)
INSTALL_SERVER = install_command("server")

ASK_TORCH = """
import torch
cuda = torch.cuda.is_available()
print(torch.__version__)
print(torch.cuda.get_device_name(0) if cuda else "")
print(torch.cuda.get_device_properties(0).total_memory if cuda else 0)
"""
ASK_PLAN = "from i2vedit_core.plan.making import main; main()"
ASK_FFMPEG = "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())"


def ask_python(code: str) -> list[str] | None:
    """What a fresh Python prints for `code`, line by line; None if it fails or hangs."""
    try:
        answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=ASK_SECONDS, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.splitlines() if answer.returncode == 0 else None


def python_version(_: Path) -> Finding:
    wanted = ".".join(map(str, OLDEST_PYTHON))
    detail = f"Python {sys.version.split()[0]} in {sys.executable}"
    return Finding("python", sys.version_info >= OLDEST_PYTHON, detail, f"Install Python {wanted} or newer.")


def packages(_: Path) -> Finding:
    missing = missing_server_packages()
    if missing:
        return Finding("packages", False, f"those of the server are missing: {', '.join(missing)}", f"Run: {INSTALL_SERVER}")
    return Finding("packages", True, f"i2vedit-bridge {metadata.version('i2vedit-bridge')}, client and server")


def ffmpeg(_: Path) -> Finding:
    system = shutil.which("ffmpeg")
    found = [system] if system else ask_python(ASK_FFMPEG)
    if not found:
        return Finding("ffmpeg", False, "neither on this machine nor as a package", f"Install ffmpeg, or run: {INSTALL_SERVER}")
    return Finding("ffmpeg", True, found[0])


def torch(_: Path) -> Finding:
    """A torch for the CPU beside an NVIDIA card is the usual mistake on Windows."""
    answer = ask_python(ASK_TORCH)
    if answer is None or len(answer) < 3:
        return Finding("torch", False, "cannot be loaded", f"Run: {INSTALL_SERVER}")
    version, device, total_bytes = answer[:3]
    if device:
        return Finding("torch", True, f"torch {version} on {device} with {int(total_bytes) / 2**30:.0f} GiB")
    if shutil.which("nvidia-smi"):
        mend = "Install the CUDA build of torch (see pytorch.org, Get started), or run: python dev.py setup"
        return Finding("torch", False, f"torch {version} does not see the NVIDIA card", mend)
    return Finding("torch", True, f"torch {version} on the CPU: enough for the mini model, too slow for SVD")


def memory(_: Path) -> Finding:
    """What the best model for this machine needs of its memory. A smaller picture that fits is no fault."""
    answer = ask_python(ASK_PLAN)
    try:
        plan = json.loads(answer[-1]) if answer else None
    except ValueError:
        plan = None
    if plan is None:
        return Finding("memory", False, "cannot be planned without torch", f"Run: {INSTALL_SERVER}")
    return Finding("memory", plan["fitting_width"] > 0, plan_words(plan), plan["advice"], plan)


def data_folder_usable(folder: Path) -> Finding:
    probe = folder / f"doctor-{uuid.uuid4().hex}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"i2vedit")
        probe.unlink()
    except OSError as error:
        mend = f"Make it writable, or name another folder in {DATA_FOLDER_VARIABLE}."
        return Finding("data folder", False, f"{folder} cannot be written: {error.strerror}", mend)
    return Finding("data folder", True, str(folder))


def settings(folder: Path) -> Finding:
    """Asks a server that starts nothing: config file, address, certificate, and whether the folder's disk can hold the database."""
    if missing_server_packages():
        return Finding("settings", True, "of no use without the server's packages")
    command = [sys.executable, "-m", "i2vedit_server", "--check", "--data-dir", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=ASK_SECONDS, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding("settings", False, f"the server does not answer ({error})", "Run: i2vedit serve")
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["the server gave no reason"]
        return Finding("settings", False, said[-1], "Mend what it names, then try again: docs/server.md has every setting.")
    figures = json.loads(done.stdout)
    return _certificate_finding(figures, "config.toml" if (folder / "config.toml").exists() else "defaults")


def _certificate_finding(figures: dict[str, Any], source: str) -> Finding:
    detail = f"{source}, listening on {figures['listen']}"
    if not figures["tls_certificate_end"]:
        return Finding("settings", True, detail, figures=figures)
    end = datetime.fromisoformat(figures["tls_certificate_end"])
    detail += f", certificate valid until {end:%Y-%m-%d %H:%M} UTC"
    return Finding("settings", end - datetime.now(UTC) > SOON, detail, "Give the server a new certificate before this one ends.", figures)


def users(folder: Path) -> Finding:
    """Several people on one machine have a folder, a server and a token each."""
    if os.name != "nt" and folder.exists():
        status = folder.stat()
        if status.st_uid != os.getuid():
            mend = f"Name a folder of your own in {DATA_FOLDER_VARIABLE}: each user has a server and a token of their own."
            return Finding("users", False, f"{folder} belongs to another user", mend)
        if stat.S_IMODE(status.st_mode) & 0o077:
            return Finding("users", False, f"other users of this machine can look into {folder}", f"Run: chmod 700 '{folder}'")
    return Finding("users", True, f"{folder} is this user's alone")


def proxies(_: Path) -> Finding:
    """Never a fault: on this machine they are passed by, and to another one they are used as gRPC uses them."""
    found = [name for name in PROXY_VARIABLES if os.environ.get(name)]
    if not found:
        return Finding("proxies", True, "none in the environment")
    return Finding("proxies", True, f"{', '.join(found)} in the environment; calls to a server on this machine pass them by")


def named(_: Path) -> Finding:
    """The server on another machine, where the environment names one."""
    try:
        other = named_server()
    except BadInput as error:
        return Finding("other server", False, str(error), "Correct the variable, or unset it to use the server of this machine.")
    if other is None:
        return Finding("other server", True, f"none named in {SERVER_VARIABLE}")
    try:
        with connect() as client:
            info = client.server_info()
    except ServerError as error:
        return Finding("other server", False, str(error), f"Or unset {SERVER_VARIABLE} to use the server of this machine.")
    return Finding("other server", True, f"{other.address} answers, version {info.version}")


def server(folder: Path) -> Finding:
    there = read_server_file(folder)
    if there is None:
        return Finding("server", True, "none runs; one starts by itself when it is needed")
    try:
        client = running_client(folder)
    except ServerError as error:
        return Finding("server", False, str(error), "End the server, then try again: the next command starts a new one.")
    if client is None:
        return Finding("server", True, "the last one has ended; another starts by itself when it is needed")
    with client:
        info = client.server_info()
    detail = (
        f"{there.address}, version {info.version}, process {info.process_id}, {info.running_count} running, {info.queued_count} waiting"
    )
    if is_older(info.version):
        detail += "; the next command puts one of its own version in its place"
    return Finding("server", True, detail)


def token(folder: Path) -> Finding:
    path = folder / "token"
    if not path.exists():
        return Finding("token", True, "none yet; the first server makes one")
    if not read_token(folder):
        return Finding(
            "token", False, f"{path} is empty or cannot be read", "End the server and delete the file; the next server makes a new one."
        )
    if os.name != "nt" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        return Finding("token", False, f"other users of this machine can read {path}", f"Run: chmod 600 '{path}'")
    return Finding("token", True, str(path))


def disk_space(folder: Path) -> Finding:
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    mend = f"Free some space, or name a folder on another disk in {DATA_FOLDER_VARIABLE}."
    return Finding("disk space", free >= ENOUGH_BYTES, f"{free / 10**9:.1f} GB free at {existing}", mend)


CHECKS: tuple[Callable[[Path], Finding], ...] = (
    python_version,
    packages,
    ffmpeg,
    torch,
    memory,
    data_folder_usable,
    users,
    settings,
    server,
    named,
    token,
    disk_space,
    proxies,
)

"""Starting the server at login, by what each system has for that: a systemd user unit, a launchd agent, a Windows task."""

import getpass
import os
import plistlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from i2vedit_client.errors import ClientError, ExitCode, Failure

NAME = "i2vedit-server"
LABEL = "i2vedit.server"
UNDO = "i2vedit serve --uninstall-service"
MANAGER_SECONDS = 30.0


@dataclass(frozen=True)
class LoginStart:
    """How one system starts a program at login."""

    manager: str
    """The program that is asked to do it."""
    file: Path
    """What describes the server to it."""
    content: bytes
    install: tuple[tuple[str, ...], ...]
    """Commands after the file is written. The last one starts the server now."""
    uninstall: tuple[tuple[str, ...], ...]
    """Commands before it is taken away."""


def server_words(folder: Path) -> list[str]:
    """The server with absolute paths: whoever starts it at login has another folder and another PATH."""
    return [sys.executable, "-m", "i2vedit_server", "--data-dir", str(folder)]


def login_start(folder: Path, system: str = sys.platform, home: Path | None = None) -> LoginStart:
    """That of this system, for a server on this data folder."""
    home = home or Path.home()
    if system == "win32":
        file = folder / f"{NAME}.xml"
        create = ("schtasks", "/Create", "/TN", NAME, "/XML", str(file), "/F")
        return LoginStart(
            "schtasks",
            file,
            windows_task(folder, _windows_user()).encode("utf-16"),
            (create, ("schtasks", "/Run", "/TN", NAME)),
            (("schtasks", "/Delete", "/TN", NAME, "/F"),),
        )
    if system == "darwin":
        file = home / "Library" / "LaunchAgents" / f"{LABEL}.plist"
        domain = f"gui/{os.getuid() if hasattr(os, 'getuid') else 0}"
        return LoginStart(
            "launchctl",
            file,
            launchd_agent(folder),
            (("launchctl", "bootstrap", domain, str(file)),),
            (("launchctl", "bootout", f"{domain}/{LABEL}"),),
        )
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    unit = f"{NAME}.service"
    systemctl = ("systemctl", "--user")
    return LoginStart(
        "systemctl",
        config / "systemd" / "user" / unit,
        systemd_unit(folder).encode(),
        ((*systemctl, "daemon-reload"), (*systemctl, "enable", "--now", unit)),
        ((*systemctl, "disable", "--now", unit),),
    )


def systemd_unit(folder: Path) -> str:
    """A user unit. It waits longer at the end than the server does for its job."""
    command = " ".join(_systemd_word(word) for word in server_words(folder))
    return f"""[Unit]
Description=I2VEdit Bridge server

[Service]
ExecStart={command}
Restart=on-failure
TimeoutStopSec=120
# The worker process is ended by the server, after its checkpoint.
KillMode=mixed

[Install]
WantedBy=default.target
"""


def _systemd_word(word: str) -> str:
    """One argument: quoted, with what systemd would replace made plain."""
    plain = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{plain}"'


def launchd_agent(folder: Path) -> bytes:
    """A property list. A server that ended well is not started again before the next login."""
    return plistlib.dumps(
        {
            "Label": LABEL,
            "ProgramArguments": server_words(folder),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ExitTimeOut": 120,
            "ProcessType": "Interactive",
        }
    )


def windows_task(folder: Path, user: str) -> str:
    """A task of this user, at this user's login, with this user's rights."""
    python, *arguments = server_words(folder)
    return f"""<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Description>I2VEdit Bridge server</Description></RegistrationInfo>
  <Triggers><LogonTrigger><Enabled>true</Enabled><UserId>{escape(user)}</UserId></LogonTrigger></Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>{escape(user)}</UserId><LogonType>InteractiveToken</LogonType><RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Hidden>true</Hidden>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{escape(_windowless(python))}</Command>
      <Arguments>{escape(subprocess.list2cmdline(arguments))}</Arguments>
    </Exec>
  </Actions>
</Task>
"""


def _windowless(python: str) -> str:
    """The interpreter without a console window, where it lies beside."""
    quiet = Path(python).with_name("pythonw.exe")
    return str(quiet) if quiet.exists() else python


def _windows_user() -> str:
    domain = os.environ.get("USERDOMAIN")
    return f"{domain}\\{getpass.getuser()}" if domain else getpass.getuser()


def install(start: LoginStart) -> str:
    """Writes the file, and has the server started now and at every login. Gives what was done, in words.

    Raises ClientError where the system's service manager is absent or refuses.
    """
    if shutil.which(start.manager) is None:
        sentence = (
            f"There is no {start.manager} here, so nothing can be started at login. Run `i2vedit serve` in whatever starts your programs."
        )
        raise _failed("SERVICE_MANAGER_MISSING", sentence)
    try:
        start.file.parent.mkdir(parents=True, exist_ok=True)
        start.file.write_bytes(start.content)
    except OSError as error:
        raise _failed("OUTPUT_NOT_WRITABLE", f"{start.file} cannot be written ({error.strerror}).") from error
    for command in start.install:
        said = _ask(command)
        if said is not None:
            sentence = f"{start.file} is written, but `{' '.join(command)}` failed: {said}. Take the file away with: {UNDO}"
            raise _failed("SERVICE_MANAGER_FAILED", sentence)
    return f"The server runs now and at every login; {start.file} says how. To undo: {UNDO}"


def uninstall(start: LoginStart) -> str:
    """Takes the start at login away, and ends the server that it started. Gives what was done, in words. Raises ClientError."""
    if not start.file.exists():
        return "The server does not start at login; there is nothing to take away."
    if shutil.which(start.manager) is not None:
        for command in start.uninstall:
            _ask(command)  # a server that is not loaded cannot be unloaded, and the file goes in any case
    try:
        start.file.unlink()
    except OSError as error:
        raise _failed("OUTPUT_NOT_WRITABLE", f"{start.file} cannot be taken away ({error.strerror}).") from error
    return f"The server starts at login no more; {start.file} is gone."


def _ask(command: tuple[str, ...]) -> str | None:
    """Why a command failed; None where it did not."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=MANAGER_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    return None if done.returncode == 0 else (lines[-1].rstrip(".") if lines else f"it ended with {done.returncode}")


def _failed(reason: str, sentence: str) -> ClientError:
    return ClientError(Failure("FAILED_PRECONDITION", reason, sentence), ExitCode.FAILED)

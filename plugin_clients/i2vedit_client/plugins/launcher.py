"""The launcher that plugins run: it needs no PATH, and nothing of a host's libraries gets past it."""

import os
import subprocess
import sys
from pathlib import Path

from i2vedit_client.discovery import AUTHORITIES_VARIABLE, DATA_FOLDER_VARIABLE, MODELS_VARIABLE, SERVER_VARIABLE, TOKEN_VARIABLE
from i2vedit_client.files import write_whole
from i2vedit_client.plugins.machine import Machine

HOSTILE = (
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "DYLD_LIBRARY_PATH",
    "DYLD_FRAMEWORK_PATH",
    "DYLD_INSERT_LIBRARIES",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "PYTHONEXECUTABLE",
    "OCIO",
    "QT_PLUGIN_PATH",
)
"""What hosts set for themselves, and what would break ours."""
KEPT = ("PATH", "PYTHONPATH", DATA_FOLDER_VARIABLE, MODELS_VARIABLE, SERVER_VARIABLE, TOKEN_VARIABLE, AUTHORITIES_VARIABLE)
"""As they are where `plugins install` runs: there the command works. A variable that is not set there is unset."""
ASK_SECONDS = 60.0


def launcher_path(machine: Machine) -> Path:
    return machine.plugins / ("i2vedit-host.cmd" if machine.is_windows else "i2vedit-host")


def write_launcher(machine: Machine) -> Path:
    """Raises OSError."""
    path = launcher_path(machine)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = windows_launcher(machine) if machine.is_windows else posix_launcher(machine)
    write_whole(path, text.encode(), mode=0o700)
    return path


def posix_launcher(machine: Machine) -> str:
    """A shell script of builtins alone."""
    return "\n".join(
        [
            "#!/bin/sh",
            "# Written by `i2vedit plugins install`. Runs the i2vedit command for a host, without the host's own libraries and settings.",
            f"unset {' '.join(HOSTILE)}",
            *(_posix_kept(name, machine.environment.get(name)) for name in KEPT),
            f'exec {_quoted(sys.executable)} -P -m i2vedit_client "$@"',
            "",
        ]
    )


def _posix_kept(name: str, value: str | None) -> str:
    return f"{name}={_quoted(value)}; export {name}" if value else f"unset {name}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def windows_launcher(machine: Machine) -> str:
    """A batch file. In it a percent sign stands for itself only when it is doubled."""
    kept = [f'set "{name}={(machine.environment.get(name) or "").replace("%", "%%")}"' for name in KEPT]
    lines = [
        "@echo off",
        "setlocal DisableDelayedExpansion",
        "chcp 65001 >nul",
        *(f'set "{name}="' for name in HOSTILE),
        *kept,
        f'"{sys.executable.replace("%", "%%")}" -P -m i2vedit_client %*',
        "exit /b %ERRORLEVEL%",
        "",
    ]
    return "\r\n".join(lines)


def answers(launcher: Path) -> bool:
    """Whether it runs, from nowhere and with nothing."""
    environment = {"SYSTEMROOT": os.environ["SYSTEMROOT"]} if "SYSTEMROOT" in os.environ else {}
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    try:
        return subprocess.run([str(launcher), "--version"], env=environment, timeout=ASK_SECONDS, **quiet).returncode == 0  # type: ignore[call-overload,no-any-return]
    except (OSError, subprocess.TimeoutExpired):
        return False

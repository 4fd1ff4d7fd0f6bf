"""Opens a picture: in Photoshop where it is installed, in the program that was asked for, else in the system's default for the type."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from i2vedit_client.errors import BadInput
from i2vedit_client.launch import detached

EDITOR_VARIABLE = "I2VEDIT_EDITOR"
NONE = "none"


@dataclass(frozen=True)
class System:
    """Where programs lie. A test gives a machine of its own."""

    platform: str = sys.platform
    root: Path = Path("/")
    """Of macOS and Linux."""
    environment: Mapping[str, str] | None = None

    def variable(self, name: str) -> str | None:
        return (os.environ if self.environment is None else self.environment).get(name)


def find_photoshop(system: System) -> Path | None:
    """The newest Photoshop of this machine, a beta last; None where there is none."""
    if system.platform == "darwin":
        found = list((system.root / "Applications").glob("Adobe Photoshop*/Adobe Photoshop*.app"))
    elif system.platform == "win32":
        folders = {system.variable(name) for name in ("ProgramW6432", "ProgramFiles", "ProgramFiles(x86)")}
        found = [path for folder in folders if folder for path in Path(folder).glob("Adobe/Adobe Photoshop*/Photoshop.exe")]
    else:
        found = []  # there is no Photoshop for it
    return max(found, key=_year, default=None)


def _year(path: Path) -> tuple[bool, int]:
    name = path.parent.name
    number = re.search(r"(\d{4})", name)
    return "beta" not in name.lower(), int(number[1]) if number else 0


def editor_command(picture: Path, chosen: str | None, system: System) -> list[str] | None:
    """The words that open the picture; None for the system's default on Windows, which is no command. Raises BadInput.

    `chosen` is a program, an application's name on macOS, or a command whose last word will be the picture.
    """
    wanted = chosen or system.variable(EDITOR_VARIABLE)
    if wanted:
        return [*_named(wanted, system), str(picture)]
    photoshop = find_photoshop(system)
    if photoshop is not None:
        return ["open", "-a", str(photoshop), str(picture)] if system.platform == "darwin" else [str(photoshop), str(picture)]
    return {"darwin": ["open", str(picture)], "win32": None}.get(system.platform, ["xdg-open", str(picture)])


def _named(wanted: str, system: System) -> list[str]:
    if system.platform == "darwin" and (wanted.endswith(".app") or not _is_program(wanted.split()[0])):
        return ["open", "-a", wanted]
    if _is_program(wanted):
        return [wanted]
    words = shlex.split(wanted, posix=system.platform != "win32")
    if not words or not _is_program(words[0]):
        raise BadInput(f"The editor '{wanted}' is not found. Give its full path with --editor, or '{NONE}' to open none.")
    return words


def _is_program(word: str) -> bool:
    return shutil.which(word) is not None


def open_picture(picture: Path, chosen: str | None = None) -> str:
    """Opens it and comes back at once; gives the name of the program, in words. Raises BadInput."""
    command = editor_command(picture, chosen, System())
    try:
        if command is None:
            os.startfile(picture)  # type: ignore[attr-defined]  # Windows alone has it
            return "the default program"
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.Popen(command, **quiet, **detached())  # type: ignore[call-overload]
    except OSError as error:
        sentence = f"The picture could not be opened ({error.strerror}). Open {picture} yourself, or name a program with --editor."
        raise BadInput(sentence) from error
    return Path(command[-2]).stem if len(command) > 1 else command[0]

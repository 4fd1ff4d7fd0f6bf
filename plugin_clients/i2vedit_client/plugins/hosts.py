"""What is put where, for each host. Folders are those that docs/hosts.md names."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from i2vedit_client.plugins.machine import Machine

PACKAGED, CHECKOUT = Path(__file__).parents[1] / "plugin_files", Path(__file__).parents[2]
SHARED = "i2vedit_run.py"
OLDEST_BLENDER = (4, 5)


def source(*names: str) -> Path:
    """A file of the plugins, in the installed package or in a checkout."""
    return (PACKAGED if PACKAGED.is_dir() else CHECKOUT).joinpath(*names)


@dataclass(frozen=True)
class PluginFile:
    """One file to be written."""

    path: Path
    content: bytes


@dataclass(frozen=True)
class Plugin:
    """One host."""

    title: str
    folders: Callable[[Machine], list[Path]]
    """Where this host looks, one for each installed version. Empty: the host is not here."""
    files: Callable[[Machine, Path, Path], list[PluginFile]]
    """What goes into such a folder; takes the machine, the folder and the launcher."""
    switch_on: str
    """What the user must do then."""


def resolve_folders(machine: Machine) -> list[Path]:
    """The user's own script folder, where Resolve keeps anything of this user at all."""
    base = "Blackmagic Design/DaVinci Resolve"
    if machine.is_windows:
        root = machine.config() / base / "Support"
    elif machine.is_mac:
        root = machine.config() / base
    else:
        root = (machine.named("XDG_DATA_HOME") or machine.home / ".local" / "share") / "DaVinciResolve"
    programs = {
        "win32": [folder / base / "Resolve.exe" for folder in machine.programs()],
        "darwin": [machine.root / "Applications" / "DaVinci Resolve" / "DaVinci Resolve.app"],
    }.get(machine.platform, [machine.root / "opt" / "resolve"])
    is_here = root.is_dir() or any(program.exists() for program in programs)
    return [root / "Fusion" / "Scripts" / "Edit"] if is_here else []


RESOLVE_ENTRIES = {
    "Propagate Edit": "propagate_edit",
    "Export Frame": "export_frame",
    "Collect Results": "collect_results",
    "Collect Results as Takes": "collect_takes",
}


def resolve_files(machine: Machine, folder: Path, launcher: Path) -> list[PluginFile]:
    """An entry of the menu for each thing to do; the code lies beside the launcher, where no menu shows it."""
    shared = [PluginFile(machine.plugins / name, source(*parts).read_bytes()) for name, *parts in _RESOLVE_CODE]
    entries = [PluginFile(folder / f"{title}.py", _entry(machine, launcher, name).encode()) for title, name in RESOLVE_ENTRIES.items()]
    return [*shared, *entries]


_RESOLVE_CODE = (("i2vedit_run.py", SHARED), ("i2vedit_resolve.py", "resolve", "i2vedit_resolve.py"))


def _entry(machine: Machine, launcher: Path, name: str) -> str:
    return f"""# Written by `i2vedit plugins install resolve`; `i2vedit plugins uninstall resolve` takes it away.
import sys
sys.path.insert(0, {str(machine.plugins)!r})
import i2vedit_resolve
i2vedit_resolve.{name}(globals(), {str(launcher)!r})
"""


def blender_folders(machine: Machine) -> list[Path]:
    """The user's extensions of each version from 4.5 on."""
    name = "Blender Foundation/Blender" if machine.is_windows else "Blender" if machine.is_mac else "blender"
    found = (machine.config() / name).glob("*.*")
    versions = [path for path in found if path.is_dir() and _version(path.name) >= OLDEST_BLENDER]
    return [path / "extensions" / "user_default" / "i2vedit" for path in sorted(versions, key=lambda path: _version(path.name))]


def _version(name: str) -> tuple[int, ...]:
    return tuple(int(number) for number in name.split(".")) if re.fullmatch(r"\d+(\.\d+)+", name) else (0,)


def blender_files(machine: Machine, folder: Path, launcher: Path) -> list[PluginFile]:
    names = ("blender_manifest.toml", "__init__.py", "strips.py")
    code = [PluginFile(folder / name, source("blender", name).read_bytes()) for name in names]
    installed = json.dumps({"launcher": str(launcher)}).encode()
    return [*code, PluginFile(folder / SHARED, source(SHARED).read_bytes()), PluginFile(folder / "installed.json", installed)]


def after_effects_folders(machine: Machine) -> list[Path]:
    """The user's panels of each version that has run here."""
    if not (machine.is_windows or machine.is_mac):
        return []  # there is no After Effects for it
    preferences = machine.config() if machine.is_windows else machine.home / "Library" / "Preferences"
    versions = sorted(path for path in (preferences / "Adobe" / "After Effects").glob("*.*") if path.is_dir())
    return [path / "Scripts" / "ScriptUI Panels" for path in versions if _version(path.name) != (0,)]


def photoshop_folders(machine: Machine) -> list[Path]:
    """The scripts of each Photoshop; they lie beside the program."""
    found = [path for folder in machine.programs() for path in sorted(folder.glob("**/Adobe Photoshop*")) if path.is_dir()]
    apps = [path for path in found if path.suffix != ".app" and (machine.is_windows or machine.is_mac)]
    return [path / "Presets" / "Scripts" for path in apps]


def _script(machine: Machine, path: Path, launcher: Path, *names: str) -> list[PluginFile]:
    """An Adobe script with the launcher in it, as a literal of ASCII alone: ExtendScript guesses at the encoding of files."""
    text = source(*names).read_text(encoding="utf-8").replace('"@LAUNCHER@"', json.dumps(str(launcher)))
    return [PluginFile(path, text.encode("ascii"))]


def after_effects_files(machine: Machine, folder: Path, launcher: Path) -> list[PluginFile]:
    return _script(machine, folder / "I2VEdit.jsx", launcher, "after_effects", "I2VEdit.jsx")


def photoshop_files(machine: Machine, folder: Path, launcher: Path) -> list[PluginFile]:
    return _script(machine, folder / "Save and Propagate.jsx", launcher, "photoshop", "Save and Propagate.jsx")


PLUGINS = {
    "resolve": Plugin(
        "DaVinci Resolve",
        resolve_folders,
        resolve_files,
        "Workspace > Scripts > Edit has them (Studio, or the free edition up to 21.0, with Python 3 installed); a key can be set under "
        "DaVinci Resolve > Keyboard Customization.",
    ),
    "after_effects": Plugin(
        "After Effects",
        after_effects_folders,
        after_effects_files,
        "Restart After Effects, open Window > I2VEdit.jsx, and switch on Settings > Scripting & Expressions > "
        "Allow Scripts to Write Files and Access Network.",
    ),
    "photoshop": Plugin("Photoshop", photoshop_folders, photoshop_files, "Restart Photoshop: File > Scripts > Save and Propagate."),
    "blender": Plugin("Blender", blender_folders, blender_files, "In Blender: Edit > Preferences > Add-ons, switch on I2VEdit Bridge."),
}

"""Plugins in the homes of three systems, and the launcher that they run."""

import json
import os
import subprocess
import sys

import pytest

from i2vedit_client.errors import ClientError
from i2vedit_client.plugins.hosts import PLUGINS
from i2vedit_client.plugins.install import install, state, uninstall
from i2vedit_client.plugins.launcher import posix_launcher, windows_launcher, write_launcher
from i2vedit_client.plugins.machine import Machine

HERE_ALONE = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": os.environ.get("PYTHONPATH", "")}


def linux(tmp_path):
    (tmp_path / "opt" / "resolve").mkdir(parents=True)
    home = tmp_path / "home" / "ed"
    for version in ("4.2", "4.5", "5.0"):
        (home / ".config" / "blender" / version).mkdir(parents=True)
    return Machine("linux", tmp_path, home, HERE_ALONE, home / ".local/share/i2vedit")


def mac(tmp_path):
    for name in ("DaVinci Resolve/DaVinci Resolve.app", "Adobe Photoshop 2026/Adobe Photoshop 2026.app"):
        (tmp_path / "Applications" / name).mkdir(parents=True)
    home = tmp_path / "Users" / "ed"
    (home / "Library/Application Support/Blender/5.0").mkdir(parents=True)
    (home / "Library/Preferences/Adobe/After Effects/26.0").mkdir(parents=True)
    return Machine("darwin", tmp_path, home, HERE_ALONE, home / "Library/Application Support/i2vedit")


def windows(tmp_path):
    programs, home = tmp_path / "Program Files", tmp_path / "Users" / "ed"
    resolve = programs / "Blackmagic Design" / "DaVinci Resolve" / "Resolve.exe"
    resolve.parent.mkdir(parents=True)
    resolve.touch()
    (programs / "Adobe" / "Adobe Photoshop 2025").mkdir(parents=True)
    roaming = home / "AppData" / "Roaming"
    (roaming / "Blender Foundation/Blender/4.5").mkdir(parents=True)
    (roaming / "Adobe/After Effects/25.3").mkdir(parents=True)
    environment = {**HERE_ALONE, "ProgramFiles": str(programs), "ProgramW6432": str(programs), "APPDATA": str(roaming)}
    return Machine("win32", tmp_path, home, environment, home / "AppData/Local/i2vedit")


PLACES = {
    (linux, "resolve"): ["home/ed/.local/share/DaVinciResolve/Fusion/Scripts/Edit/Propagate Edit.py"],
    (linux, "blender"): [f"home/ed/.config/blender/{version}/extensions/user_default/i2vedit/__init__.py" for version in ("4.5", "5.0")],
    (mac, "resolve"): ["Users/ed/Library/Application Support/Blackmagic Design/DaVinci Resolve/Fusion/Scripts/Edit/Collect Results.py"],
    (mac, "blender"): ["Users/ed/Library/Application Support/Blender/5.0/extensions/user_default/i2vedit/blender_manifest.toml"],
    (mac, "after_effects"): ["Users/ed/Library/Preferences/Adobe/After Effects/26.0/Scripts/ScriptUI Panels/I2VEdit.jsx"],
    (mac, "photoshop"): ["Applications/Adobe Photoshop 2026/Presets/Scripts/Save and Propagate.jsx"],
    (windows, "resolve"): ["Users/ed/AppData/Roaming/Blackmagic Design/DaVinci Resolve/Support/Fusion/Scripts/Edit/Export Frame.py"],
    (windows, "blender"): ["Users/ed/AppData/Roaming/Blender Foundation/Blender/4.5/extensions/user_default/i2vedit/i2vedit_run.py"],
    (windows, "after_effects"): ["Users/ed/AppData/Roaming/Adobe/After Effects/25.3/Scripts/ScriptUI Panels/I2VEdit.jsx"],
    (windows, "photoshop"): ["Program Files/Adobe/Adobe Photoshop 2025/Presets/Scripts/Save and Propagate.jsx"],
}


def everything(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize(("system", "host"), PLACES, ids=[f"{system.__name__}-{host}" for system, host in PLACES])
def test_each_host_gets_its_files_and_gives_them_back(system, host, tmp_path):
    machine = system(tmp_path)
    assert state(host, machine).installed == [] and state(host, machine).problem == ""
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    install(host, machine)
    for place in PLACES[system, host]:
        assert (tmp_path / place).is_file()
    assert state(host, machine).problem == "" and state(host, machine).installed
    install(host, machine)
    uninstall(host, machine)
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == before
    assert not machine.plugins.exists() and state(host, machine).installed == []


def test_a_host_that_is_not_here_is_said_so(tmp_path):
    machine = Machine("linux", tmp_path, tmp_path, {}, tmp_path / "data")
    for host in PLUGINS:
        with pytest.raises(ClientError) as caught:
            install(host, machine)
        assert caught.value.failure.reason == "HOST_NOT_FOUND"
    assert everything(tmp_path) == []


def test_what_plugins_share_stays_while_one_of_them_needs_it(tmp_path):
    machine = linux(tmp_path)
    install("resolve", machine)
    install("blender", machine)
    uninstall("blender", machine)
    assert state("resolve", machine).problem == "" and (machine.plugins / "i2vedit_run.py").is_file()


def test_what_was_changed_or_came_later_is_noticed(tmp_path):
    machine = linux(tmp_path)
    install("blender", machine)
    (machine.home / ".config/blender/5.1").mkdir()
    assert "came later" in state("blender", machine).problem
    install("blender", machine)
    extension = machine.home / ".config/blender/5.1/extensions/user_default/i2vedit"
    (extension / "strips.py").write_text("changed")
    assert "strips.py" in state("blender", machine).problem
    install("blender", machine)
    assert state("blender", machine).problem == ""


def test_the_entry_of_a_menu_runs_what_it_names(tmp_path):
    machine = linux(tmp_path)
    install("resolve", machine)
    entry = machine.home / ".local/share/DaVinciResolve/Fusion/Scripts/Edit/Export Frame.py"
    ran = subprocess.run([sys.executable, "-I", str(entry)], capture_output=True, text=True, timeout=120)
    assert ran.stdout == "I2VEdit: Resolve's scripting module is not found. Start the script from Workspace > Scripts.\n", ran.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
def test_the_launcher_runs_with_an_empty_path_and_hostile_variables(tmp_path):
    data = tmp_path / "dä ta's"
    environment = {**HERE_ALONE, "I2VEDIT_DATA_DIR": str(data)}
    launcher = write_launcher(Machine("linux", tmp_path, tmp_path, environment, data))
    python = tmp_path / "python"
    python.mkdir()
    for module in ("json.py", "click.py", "i2vedit_client.py"):
        (python / module).write_text("raise SystemExit('a module of the host')")
    hostile = {"PATH": "", "PYTHONPATH": str(python), "PYTHONHOME": str(tmp_path), "LD_LIBRARY_PATH": str(python), "I2VEDIT_DATA_DIR": "/x"}
    ran = subprocess.run([str(launcher), "host", "poll", "--json"], env=hostile, capture_output=True, text=True, timeout=300, cwd=python)
    assert ran.returncode in (0, 3), ran.stderr
    last = json.loads(ran.stdout.splitlines()[-1])
    assert last.get("sessions") == [] or last["reason"].startswith("SERVER"), last
    assert data.exists(), "the variables of `plugins install` hold, and not those of the host"


def test_the_launchers_keep_awkward_names_whole(tmp_path):
    environment = {"PATH": "C:\\a b\\100%;D:\\x", "PYTHONPATH": "", "I2VEDIT_MODELS": "E:\\models"}
    batch = windows_launcher(Machine("win32", tmp_path, tmp_path, environment, tmp_path))
    assert 'set "PATH=C:\\a b\\100%%;D:\\x"' in batch and 'set "PYTHONPATH="' in batch and "\r\n" in batch
    assert 'set "I2VEDIT_MODELS=E:\\models"' in batch
    shell = posix_launcher(Machine("linux", tmp_path, tmp_path, {"PATH": "/it's/bin"}, tmp_path))
    assert "PATH='/it'\\''s/bin'" in shell and "unset PYTHONPATH" in shell


def test_the_doctor_looks_at_each_plugin(tmp_path):
    from i2vedit_client.plugins.check import plugin_findings

    machine = linux(tmp_path)
    (found,) = plugin_findings(machine)
    assert found.ok and "not installed: resolve, blender" in found.detail
    install("blender", machine)
    (machine.plugins / "i2vedit-host").unlink()
    (found,) = [each for each in plugin_findings(machine) if not each.ok]
    assert found.name == "plugin blender" and "i2vedit plugins install blender" in found.mend

"""The server at login, and everything taken away again. No service manager of this machine is asked: each test has one of its own."""

import os
import plistlib
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from i2vedit_client.errors import ClientError
from i2vedit_client.login_start import install, login_start, server_words, uninstall

TASK = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
ODD = 'data "50 %" $HOME \\ é & <x>'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ODD


@pytest.fixture(autouse=True)
def _no_config_home(monkeypatch):
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


def test_the_words_are_absolute(folder):
    assert server_words(folder) == [sys.executable, "-m", "i2vedit_server", "--data-dir", str(folder)]
    assert Path(sys.executable).is_absolute()


def test_systemd_takes_the_unit(folder, tmp_path):
    start = login_start(folder, "linux", tmp_path)
    assert start.file == tmp_path / ".config" / "systemd" / "user" / "i2vedit-server.service"
    unit = start.content.decode()
    assert f'ExecStart="{sys.executable}" "-m" "i2vedit_server" "--data-dir"' in unit
    assert "50 %%" in unit and "$$HOME" in unit and "\\\\" in unit and '\\"' in unit
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("systemd-analyze is not here, so that only the text was looked at")
    start.file.parent.mkdir(parents=True)
    start.file.write_bytes(start.content)
    answer = subprocess.run([verify, "--user", "verify", str(start.file)], capture_output=True, text=True)
    complaints = [line for line in answer.stderr.splitlines() if "i2vedit-server" in line]
    assert not complaints, answer.stderr


def test_launchd_takes_the_agent(folder, tmp_path):
    start = login_start(folder, "darwin", tmp_path)
    assert start.file == tmp_path / "Library" / "LaunchAgents" / "i2vedit.server.plist"
    agent = plistlib.loads(start.content)
    assert agent["ProgramArguments"] == server_words(folder)
    assert agent["RunAtLoad"] is True and agent["KeepAlive"] == {"SuccessfulExit": False}


def test_windows_takes_the_task(folder, monkeypatch):
    monkeypatch.setenv("USERDOMAIN", "STUDIO")
    monkeypatch.setenv("USERNAME", "a&b")
    monkeypatch.setenv("LOGNAME", "a&b")
    start = login_start(folder, "win32")
    task = ElementTree.fromstring(start.content.decode("utf-16"))
    run = task.find(f"{TASK}Actions/{TASK}Exec")
    assert run is not None
    assert run.findtext(f"{TASK}Command") == sys.executable
    assert run.findtext(f"{TASK}Arguments") == subprocess.list2cmdline(server_words(folder)[1:])
    assert task.findtext(f"{TASK}Principals/{TASK}Principal/{TASK}UserId") == "STUDIO\\a&b"
    assert task.findtext(f"{TASK}Principals/{TASK}Principal/{TASK}RunLevel") == "LeastPrivilege"
    assert start.install[0][:2] == ("schtasks", "/Create") and str(start.file) in start.install[0]


@pytest.fixture
def manager(tmp_path, monkeypatch):
    """A `systemctl` that notes what it is asked, and fails where a file `fail` lies beside it."""
    if os.name == "nt":
        pytest.skip("a shell script stands in for the service manager")
    tools = tmp_path / "tools"
    tools.mkdir()
    script = tools / "systemctl"
    script.write_text(f'#!/bin/sh\necho "$@" >> "{tools}/asked"\ntest ! -e "{tools}/fail" || {{ echo "No medium found." >&2; exit 1; }}\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}/bin")
    return tools


def test_installing_says_what_was_done_and_how_to_undo_it(folder, manager, tmp_path):
    start = login_start(folder, "linux", tmp_path)
    said = install(start)
    assert str(start.file) in said and "i2vedit serve --uninstall-service" in said
    assert start.file.read_bytes() == start.content
    assert (manager / "asked").read_text().splitlines() == ["--user daemon-reload", "--user enable --now i2vedit-server.service"]
    assert "no more" in uninstall(start)
    assert not start.file.exists()
    assert (manager / "asked").read_text().splitlines()[-1] == "--user disable --now i2vedit-server.service"
    assert "nothing to take away" in uninstall(start)


def test_a_manager_that_refuses_is_one_sentence(folder, manager, tmp_path):
    (manager / "fail").touch()
    with pytest.raises(ClientError) as caught:
        install(login_start(folder, "linux", tmp_path))
    assert "No medium found" in str(caught.value) and "--uninstall-service" in str(caught.value)


def test_without_a_manager_nothing_is_written(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    for system in ("linux", "darwin", "win32"):
        start = login_start(folder, system, tmp_path)
        with pytest.raises(ClientError, match=f"There is no {start.manager} here"):
            install(start)
        assert not start.file.exists()


@pytest.fixture
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    return tmp_path / "home"


def test_the_command_installs_and_uninstalls(i2vedit, manager, home):
    if sys.platform != "linux":
        pytest.skip("the stand-in is a systemctl")
    assert i2vedit("serve", "--install").code == 0
    unit = home / ".config" / "systemd" / "user" / "i2vedit-server.service"
    assert str(i2vedit.data) in unit.read_text()
    refused = i2vedit("serve", "--install", "--listen", "127.0.0.1:5")
    assert refused.code == 2 and "config.toml" in refused.err and "--listen" in refused.err
    assert i2vedit("uninstall", "--json").last["event"] == "succeeded"
    assert not unit.exists()


def test_a_purge_shows_asks_and_deletes_only_what_is_ours(i2vedit, home, tmp_path):
    data = i2vedit.data
    for name in ("artifacts/shot", "models/svd", "work", "hosts/resolve-1", "plugins", "notes"):
        (data / name).mkdir(parents=True)
    ours = ("jobs.sqlite3", "jobs.sqlite3-wal", "token", "server.log", "server.log.1", "config.toml", "monitor.ini", "plugins/launcher")
    for name in (*ours, "my file.txt", "notes/a.log"):
        (data / name).write_bytes(bytes(1000))
    (data / "artifacts" / "shot" / "latents").write_bytes(bytes(5_000_000))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "precious").touch()
    (data / "uploads").symlink_to(tmp_path / "elsewhere")

    asked = i2vedit("uninstall", "--purge")
    assert asked.code == 130 and "5.0 MB  artifacts" in asked.out and (data / "token").exists()
    assert i2vedit("uninstall", "--purge", "--yes").code == 0
    assert sorted(path.name for path in data.iterdir()) == ["my file.txt", "notes", "uploads"]
    assert (tmp_path / "elsewhere" / "precious").exists()
    assert "nothing of this program" in i2vedit("uninstall", "--purge", "--yes").out


def test_a_purge_ends_the_server_first(i2vedit, server, home):
    outcome = i2vedit("uninstall", "--purge", "--yes", "--json")
    assert outcome.code == 0, outcome.err
    assert server.process.wait(20) == 0
    assert not i2vedit.data.exists()

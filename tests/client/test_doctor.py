"""What the doctor finds, one check at a time."""

import os
import sys

import pytest
from tests.server.certificates import certificate

from i2vedit_client import diagnosis


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in (*diagnosis.PROXY_VARIABLES, "I2VEDIT_SERVER", "I2VEDIT_TOKEN_FILE", "I2VEDIT_CA_FILE"):
        monkeypatch.delenv(name, raising=False)
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    return data


def test_settings_are_those_that_a_server_would_start_with(folder, tmp_path):
    found = diagnosis.settings(folder)
    assert found.ok and found.detail == "defaults, listening on 127.0.0.1:0"

    (folder / "config.toml").write_text("idle_exit = 3\n")
    found = diagnosis.settings(folder)
    assert not found.ok and "line 1" in found.detail and "idle_exit_seconds" in found.detail

    for days, ok in ((100, True), (3, False)):
        pair = certificate(tmp_path, days=days)
        (folder / "config.toml").write_text(f'listen = "0.0.0.0:0"\n[tls]\ncertificate = "{pair.certificate}"\nkey = "{pair.key}"\n')
        found = diagnosis.settings(folder)
        assert found.ok is ok and "certificate valid until 20" in found.detail, found


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits")
def test_a_folder_that_others_can_look_into(folder):
    assert diagnosis.users(folder).ok
    folder.chmod(0o755)
    found = diagnosis.users(folder)
    assert not found.ok and "chmod 700" in found.mend
    (folder / "token").write_text("x" * 43)
    (folder / "token").chmod(0o640)
    assert not diagnosis.token(folder).ok
    (folder / "token").chmod(0o600)
    assert diagnosis.token(folder).ok


@pytest.mark.skipif(sys.platform == "win32" or os.getuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_somebody_else(folder):
    os.chown(folder, 12345, -1)
    found = diagnosis.users(folder)
    assert not found.ok and "another user" in found.detail


def test_proxies_are_named_and_no_fault(folder, monkeypatch):
    assert diagnosis.proxies(folder).detail == "none in the environment"
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    found = diagnosis.proxies(folder)
    assert found.ok and "https_proxy" in found.detail and "pass them by" in found.detail
    assert "proxy:3128" not in found.detail, "it may hold a password"


def test_a_server_that_the_environment_names(folder, monkeypatch, studio):
    assert diagnosis.named(folder).ok
    monkeypatch.setenv("I2VEDIT_SERVER", "127.0.0.1:1")
    assert not diagnosis.named(folder).ok
    monkeypatch.setenv("I2VEDIT_TOKEN_FILE", str(studio.data / "token"))
    assert "cannot be reached" in diagnosis.named(folder).detail
    from i2vedit_client.discovery import read_server_file

    server = read_server_file(studio.data)
    assert server is not None
    monkeypatch.setenv("I2VEDIT_SERVER", server.address)
    assert diagnosis.named(folder).ok
    assert server.address in diagnosis.server(studio.data).detail

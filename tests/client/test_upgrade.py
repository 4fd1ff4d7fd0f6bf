"""A newer command exchanges the server of an older one; an older command goes on with a newer server."""

import os
import signal
import sys

import pytest

from i2vedit_client import launch
from i2vedit_client.client import Client
from i2vedit_client.discovery import read_server_file
from i2vedit_client.errors import ServerError

WAITING = 2


@pytest.mark.parametrize(
    ("version", "older"),
    [("0.0.9", True), ("0.1.0", False), ("0.1.0rc1", False), ("0.1.1", False), ("0.0.10", True), ("1.0", False), ("0.1", True), ("", True)],
)
def test_versions_are_compared_by_their_numbers(monkeypatch, version, older):
    monkeypatch.setattr("importlib.metadata.version", lambda _: "0.1.0")
    assert launch.is_older(version) is older


@pytest.fixture
def newer(monkeypatch, i2vedit):
    """This process is a command of a later version, with the data folder of `i2vedit`."""
    monkeypatch.setattr("importlib.metadata.version", lambda _: "99.0.0")
    for name, value in i2vedit.environment.items():
        monkeypatch.setenv(name, value)


@pytest.mark.skipif(sys.platform == "win32", reason="the new server is ended by a signal")
def test_an_older_server_keeps_its_job_and_makes_room(i2vedit, server, call, newer, tmp_path):
    assert i2vedit(*call(tmp_path, "--seed", str(WAITING), "--detach")).code == 0
    with launch.connect() as client:
        there = read_server_file(i2vedit.data)
        assert there is not None and there.pid != server.process.pid
        assert server.process.wait(20) == 0
        (job,) = client.list_jobs(10)
        client.cancel_job(job.name)  # the new server's own worker would load a model
        assert job.spec.settings.seed == WAITING
        launch.end_server(i2vedit.data, client)
    assert read_server_file(i2vedit.data) is None


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGTERM there")
def test_a_server_that_does_not_know_the_call_is_ended_by_a_signal(i2vedit, server, monkeypatch):
    def unknown(self: Client) -> int:
        raise ServerError("UNIMPLEMENTED", "UNIMPLEMENTED", "Method not found!")

    monkeypatch.setattr(Client, "drain_server", unknown)
    client = launch.running_client(i2vedit.data)
    assert client is not None
    launch.end_server(i2vedit.data, client)
    assert server.process.wait(20) == 0


def test_an_older_command_goes_on_with_a_newer_server(i2vedit, server, monkeypatch):
    monkeypatch.setattr("importlib.metadata.version", lambda _: "0.0.1")
    for name, value in i2vedit.environment.items():
        monkeypatch.setenv(name, value)
    with launch.connect() as client:
        assert client.server_info().process_id == server.process.pid
    assert server.process.poll() is None


@pytest.mark.skipif(sys.platform == "win32", reason="no signals there")
def test_a_command_waits_for_a_server_that_is_leaving(i2vedit, server, call, tmp_path):
    """Its address still stands in the folder, and it still has the lock."""
    assert i2vedit(*call(tmp_path, "--seed", str(WAITING), "--detach")).code == 0
    os.kill(server.process.pid, signal.SIGTERM)
    process = i2vedit.start("jobs", "list")
    assert server.process.wait(30) == 0
    assert process.wait(60) == 0, process.stderr.read()
    there = read_server_file(i2vedit.data)
    assert there is not None
    os.kill(there.pid, signal.SIGTERM)

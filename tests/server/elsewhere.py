"""Calling a server of this machine as if from another one: by an address that is not loopback."""

import json
import socket

import pytest
from tests.server.certificates import Pair
from tests.server.harness import ServerProcess

from i2vedit_client.client import Client


def own_address() -> str:
    """An address of this machine that is not loopback; skips where it has none. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))
            address = str(probe.getsockname()[0])
        except OSError:
            address = "127.0.0.1"
    if address.startswith("127."):
        pytest.skip("this machine has no address but loopback")
    return address


def remote_address(server: ServerProcess) -> str:
    port = json.loads((server.folder / "server.json").read_text())["remote_address"].rpartition(":")[2]
    return f"{own_address()}:{port}"


def token(server: ServerProcess) -> str:
    return (server.folder / "token").read_text()


def remote_client(server: ServerProcess, pair: Pair) -> Client:
    return Client(remote_address(server), token(server), pair.certificate.read_bytes())

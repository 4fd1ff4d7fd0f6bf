"""How the window comes by a server."""

from collections.abc import Callable
from dataclasses import dataclass

from i2vedit_client.client import Client
from i2vedit_client.discovery import data_folder, named_server
from i2vedit_client.launch import connect, running_client

Connect = Callable[[], Client]
Find = Callable[[], Client | None]


@dataclass(frozen=True)
class Place:
    """Where the server is looked for. Both functions raise ServerError or BadInput, and may take seconds."""

    connect: Connect
    """Starts a server where none runs."""
    find: Find
    """Starts none; None where none runs."""


def find_own() -> Client | None:
    """A client of the server that runs already: the one that the environment names, else this user's own."""
    return connect() if named_server() else running_client(data_folder())


def own_place() -> Place:
    """As every command has it."""
    return Place(connect, find_own)

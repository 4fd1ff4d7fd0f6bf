"""A real server whose runner delivers real frames, and a window on it that is drawn into memory."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import pytest

pytest.importorskip("PySide6", reason="the window needs the extra `monitor`")
pytest.importorskip("pytestqt", reason="tests of the window need pytest-qt")

import OpenImageIO as oiio
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication
from tests.media import numbered_clip, numbered_frame
from tests.server.harness import ServerProcess

from i2vedit_client.client import Client
from i2vedit_client.errors import ServerError
from i2vedit_client.launch import running_client
from i2vedit_monitor import theme
from i2vedit_monitor.link.place import Place
from i2vedit_monitor.session import Session
from i2vedit_monitor.window import MonitorWindow

HERE = Path(__file__).parent
FRAMES = 8
SECONDS = 60_000
"""How long a test waits for something to happen, in milliseconds: machines may be busy."""


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plates and settings of a test are its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setenv("I2VEDIT_DATA_DIR", str(tmp_path_factory.mktemp("home")))


@pytest.fixture
def dressed(qapp: QApplication) -> QApplication:
    theme.dress(qapp)
    return qapp


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight frames of 96x64."""
    return numbered_clip(tmp_path_factory.mktemp("media") / "shot.mp4", FRAMES)


@pytest.fixture(scope="session")
def painted(clip: Path) -> Path:
    """The clip's first frame with something on it."""
    path = clip.with_name("painted.png")
    pixels = numbered_frame(0)
    pixels[16:40, 24:56] = (200, 60, 40)
    assert oiio.ImageBuf(np.ascontiguousarray(pixels)).write(str(path))
    return path


def place_of(folder: Path) -> Place:
    """The server of this data folder, which is never started."""

    def find() -> Client | None:
        return running_client(folder)

    def connect() -> Client:
        client = find()
        if client is None:
            raise ServerError("UNAVAILABLE", "UNAVAILABLE", "There is no server.")
        return client

    return Place(connect, find)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The server's data folder."""
    return tmp_path / "data"


@pytest.fixture
def start_server(data: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], ServerProcess]]:
    """Starts a server on the data folder; the same folder may have another one after it."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH", "")])))
    servers: list[ServerProcess] = []

    def start() -> ServerProcess:
        servers.append(ServerProcess(data, "--runner", "standin_pictures:run"))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def server(start_server: Callable[[], ServerProcess]) -> ServerProcess:
    return start_server()


@pytest.fixture
def window(dressed: QApplication, data: Path, tmp_path: Path, qtbot) -> Iterator[MonitorWindow]:
    """A window that looks for the server of `data`, whether it is there or not. Nothing is opened in an editor."""
    session = Session(place_of(data))
    made = MonitorWindow(session, QSettings(str(tmp_path / "monitor.ini"), QSettings.Format.IniFormat), opener=lambda path: None, checks=())
    qtbot.addWidget(made)
    made.show()
    session.start()
    yield made
    made.close()

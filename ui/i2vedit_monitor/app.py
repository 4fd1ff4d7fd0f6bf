"""Starts the window: `python -m i2vedit_monitor`, or `i2vedit monitor`."""

import argparse
import os
import signal
import sys
from pathlib import Path

from PySide6.QtCore import QSettings, QTimer
from PySide6.QtWidgets import QApplication

from i2vedit_client.discovery import data_folder
from i2vedit_monitor import icons, texts, theme
from i2vedit_monitor.link.place import own_place
from i2vedit_monitor.screenshot import Screenshot
from i2vedit_monitor.session import Session
from i2vedit_monitor.window import MonitorWindow

SETTINGS_FILE = "monitor.ini"
SIGNAL_MILLISECONDS = 200


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="i2vedit monitor", description="The window.")
    parser.add_argument("--screenshot", type=Path, metavar="FILE", help="save a picture of the present state as PNG, and end")
    parser.add_argument("--clip", metavar="FILE", help="begin a new shot of this clip")
    return parser


def make_app() -> QApplication:
    """The application in its look. Without a screen it draws into memory."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName(texts.APP_NAME)
    app.setWindowIcon(icons.app_icon())
    theme.dress(app)
    return app


def window_settings() -> QSettings:
    """In the data folder, so that each of them has its own. Where there is none yet it is made, for this user's eyes alone."""
    folder = data_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return QSettings(str(folder / SETTINGS_FILE), QSettings.Format.IniFormat)


def main(arguments: list[str]) -> int:
    """0, or 1 where the picture could not be saved."""
    options = _parser().parse_args(arguments)
    app = make_app()
    session = Session(own_place(), start_server=options.screenshot is None)
    window = MonitorWindow(session, window_settings())
    _end_on_signals(window)
    window.show()
    session.start()
    if options.clip:
        window.open_clip(options.clip)
    if options.screenshot is None:
        return app.exec()
    picture = Screenshot(window, options.screenshot.expanduser().absolute())
    app.exec()
    return 0 if picture.saved else 1


def _end_on_signals(window: MonitorWindow) -> None:
    """Ctrl-C in the terminal ends the window; Qt lets Python hear of it only when Python has something to do."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: window.leave())
    timer = QTimer(window, interval=SIGNAL_MILLISECONDS)
    timer.timeout.connect(lambda: None)
    timer.start()

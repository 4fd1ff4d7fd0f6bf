"""A picture of the window's present state, for whoever is not in front of it."""

import os
import time
from pathlib import Path

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

from i2vedit_monitor.model.facts import Contact
from i2vedit_monitor.window import MonitorWindow

LOOK_MILLISECONDS = 100
REST_SECONDS = 0.7
"""So long nothing may have been left to do."""
LONGEST_SECONDS = 20.0


class Screenshot(QObject):
    """Waits until the window has shown what there is, saves it, and ends the application."""

    def __init__(self, window: MonitorWindow, target: Path) -> None:
        super().__init__()
        self._window, self._target = window, target
        self.saved = False
        self._begun = self._busy = time.monotonic()
        self._timer = QTimer(self, interval=LOOK_MILLISECONDS)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def _look(self) -> None:
        now = time.monotonic()
        if not self._is_settled():
            self._busy = now
        if now - self._busy >= REST_SECONDS or now - self._begun >= LONGEST_SECONDS:
            self._timer.stop()
            self.saved = self._save()
            self._window.close()
            QApplication.quit()

    def _is_settled(self) -> bool:
        window = self._window
        sought = window.session.health.contact is Contact.SEEKING
        told = window.session.health.contact is not Contact.CONNECTED or window.session.health.server is not None
        viewer = window.page.viewer
        shown = viewer.shot is None or viewer.is_shown
        return not sought and told and window.session.pump.is_idle and shown and window.session.calls.is_idle

    def _save(self) -> bool:
        """Whole under its name, or not at all."""
        temporary = self._target.with_name(f".{os.getpid()}-{self._target.name}")
        try:
            if not self._window.grab().save(str(temporary), "PNG"):
                return False
            os.replace(temporary, self._target)
        finally:
            temporary.unlink(missing_ok=True)
        return True

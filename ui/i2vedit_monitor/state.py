"""What the window remembers from one time to the next."""

from dataclasses import replace
from typing import Protocol

from PySide6.QtCore import QByteArray, QSettings
from PySide6.QtWidgets import QSplitter

from i2vedit_monitor.doing.new_shot import NewShot
from i2vedit_monitor.job.job_page import JobPage
from i2vedit_monitor.queue.queue_panel import QueuePanel
from i2vedit_monitor.viewer.modes import Mode

DRAFT_FIELDS = ("out", "model", "preset", "edit", "color_space")


class Remembered(Protocol):
    """The window, as far as it is remembered."""

    split: QSplitter
    queue: QueuePanel
    page: JobPage
    new_shot: NewShot

    def saveGeometry(self) -> QByteArray: ...

    def restoreGeometry(self, geometry: QByteArray, /) -> bool: ...


def save(window: Remembered, settings: QSettings) -> None:
    """Place and size of everything, the chosen job, how it was looked at, and how new shots are made."""
    settings.setValue("geometry", window.saveGeometry())
    settings.setValue("split", window.split.saveState())
    settings.setValue("page_split", window.page.split.saveState())
    settings.setValue("job", window.queue.name)
    settings.setValue("mode", window.page.viewer.mode.value)
    settings.setValue("loop", window.page.viewer.transport.loop.isChecked())
    for field in DRAFT_FIELDS:
        settings.setValue(f"draft/{field}", getattr(window.new_shot.draft, field))
    settings.sync()


def restore(window: Remembered, settings: QSettings) -> None:
    """What an earlier window saved; what is not there, or no longer fits, is left as it is."""
    for key, apply in (
        ("geometry", window.restoreGeometry),
        ("split", window.split.restoreState),
        ("page_split", window.page.split.restoreState),
    ):
        value = settings.value(key)
        if isinstance(value, QByteArray):
            apply(value)
    mode = str(settings.value("mode", ""))
    if mode in set(Mode):
        window.page.viewer.set_mode(Mode(mode))
    window.page.viewer.transport.loop.setChecked(str(settings.value("loop", "true")).lower() == "true")
    draft = window.new_shot.draft
    kept = {field: str(settings.value(f"draft/{field}") or getattr(draft, field)) for field in DRAFT_FIELDS}
    window.new_shot.draft = replace(
        draft, out=kept["out"], model=kept["model"], preset=kept["preset"], edit=kept["edit"], color_space=kept["color_space"]
    )

"""What the window remembers from one time to the next."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QSettings

from i2vedit_monitor.viewer.modes import Mode

if TYPE_CHECKING:
    from i2vedit_monitor.window import MonitorWindow

DRAFT_FIELDS = ("out", "model", "preset", "edit", "color_space")


def save(window: MonitorWindow, settings: QSettings) -> None:
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


def restore(window: MonitorWindow, settings: QSettings) -> None:
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

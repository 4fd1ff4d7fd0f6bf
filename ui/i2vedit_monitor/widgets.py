"""Plain widgets in the roles that `theme` dresses."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QToolButton

from i2vedit_monitor import icons


def text_label(text: str = "", role: str = "", *, wraps: bool = False) -> QLabel:
    """`role`: `headline`, `dim`, `section`, or none."""
    made = QLabel(text)
    made.setObjectName(role)
    made.setWordWrap(wraps)
    return made


def role_frame(role: str) -> QFrame:
    """`role`: `panel`, `card`, `strip`, `foot`."""
    made = QFrame()
    made.setObjectName(role)
    return made


def primary_button(text: str, icon: QIcon | None = None) -> QPushButton:
    """The one button of a place that leads on."""
    made = QPushButton(text)
    made.setObjectName("primary")
    if icon is not None:
        made.setIcon(icon)
    return made


def text_button(text: str, icon: str = "") -> QToolButton:
    """A flat button with words, and an icon before them."""
    made = QToolButton()
    made.setText(text)
    if icon:
        made.setIcon(icons.icon(icon))
        made.setIconSize(icons.ICON_SIZE)
        made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    return made

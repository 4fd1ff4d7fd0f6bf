"""How the window looks: neutral greys, so that nothing beside a picture colours the eye, and one quiet accent."""

from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

BACKDROP = "#121212"
"""Behind pictures."""
GROUND = "#1a1a1a"
PANEL = "#212121"
RAISED = "#2c2c2c"
HOVER = "#353535"
LINE = "#383838"
FAINT = "#6f6f6f"
DIM = "#9a9a9a"
TEXT = "#d6d6d6"
BRIGHT = "#f2f2f2"
INK = "#1c1813"
"""Written on the accent."""
ACCENT = "#c8a36a"
"""Of what runs and of what is chosen."""
GOOD = "#84a98c"
BAD = "#c9796b"
WAIT = "#8a94a3"

STATE_COLOURS = {"running": ACCENT, "queued": WAIT, "paused": WAIT, "succeeded": GOOD, "failed": BAD, "cancelled": FAINT}


def colour(text: str, alpha: int = 255) -> QColor:
    shade = QColor(text)
    shade.setAlpha(alpha)
    return shade


def small(font: QFont, points: float = 1.5, *, bold: bool = False) -> QFont:
    """The same font, so many points smaller (negative: larger)."""
    changed = QFont(font)
    changed.setPointSizeF(max(6.0, font.pointSizeF() - points))
    changed.setBold(bold)
    return changed


def fixed_digits(font: QFont) -> QFont:
    """Digits of one width, so that counters do not tremble."""
    mono = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    mono.setPointSizeF(font.pointSizeF() - 0.5)
    return mono


def dress(app: QApplication) -> None:
    """Gives the application this look."""
    app.setStyle("Fusion")
    palette = QPalette()
    role = QPalette.ColorRole
    for which, shade in {
        role.Window: GROUND,
        role.Base: PANEL,
        role.AlternateBase: RAISED,
        role.Button: RAISED,
        role.Text: TEXT,
        role.WindowText: TEXT,
        role.ButtonText: TEXT,
        role.ToolTipBase: RAISED,
        role.ToolTipText: TEXT,
        role.Highlight: "#4a4436",
        role.HighlightedText: BRIGHT,
        role.PlaceholderText: FAINT,
        role.Link: ACCENT,
    }.items():
        palette.setColor(which, QColor(shade))
    for which in (role.Text, role.WindowText, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(FAINT))
    app.setPalette(palette)
    app.setStyleSheet(SHEET)


SHEET = f"""
QWidget {{ color: {TEXT}; }}
QMainWindow, QDialog, QStackedWidget {{ background: {GROUND}; }}
QFrame#panel {{ background: {PANEL}; }}
QFrame#card {{ background: {PANEL}; border: 1px solid {LINE}; border-radius: 6px; }}
QFrame#strip {{ background: {PANEL}; border-bottom: 1px solid {LINE}; }}
QFrame#foot {{ background: {PANEL}; border-top: 1px solid {LINE}; }}
QFrame#notice {{ background: #33271f; border: 1px solid #5a4330; border-radius: 6px; }}
QLabel#headline {{ color: {BRIGHT}; }}
QLabel#dim {{ color: {DIM}; }}
QLabel#section {{ color: {FAINT}; }}
QPushButton {{ background: {RAISED}; border: 1px solid {LINE}; border-radius: 5px; padding: 5px 12px; }}
QPushButton:hover {{ background: {HOVER}; }}
QPushButton:pressed {{ background: {LINE}; }}
QPushButton:disabled {{ color: {FAINT}; background: {PANEL}; }}
QPushButton:focus, QToolButton:focus {{ border: 1px solid {ACCENT}; }}
QPushButton#primary {{ background: {ACCENT}; color: {INK}; border: 1px solid {ACCENT}; font-weight: 600; }}
QPushButton#primary:hover {{ background: #d6b47f; }}
QPushButton#primary:disabled {{ background: {RAISED}; color: {FAINT}; border-color: {LINE}; }}
QToolButton {{ background: transparent; border: 1px solid transparent; border-radius: 4px; padding: 4px 6px; }}
QToolButton:hover {{ background: {HOVER}; }}
QToolButton:checked {{ background: #3f3a2f; color: {BRIGHT}; }}
QToolButton:disabled {{ color: {FAINT}; }}
QToolButton::menu-indicator {{ image: none; }}
QLineEdit, QComboBox, QSpinBox, QPlainTextEdit {{ background: {GROUND}; border: 1px solid {LINE}; border-radius: 4px; padding: 4px 6px;
  selection-background-color: #5b5140; }}
QLineEdit:focus, QComboBox:focus, QSpinBox:focus, QPlainTextEdit:focus {{ border: 1px solid {ACCENT}; }}
QComboBox QAbstractItemView {{ background: {RAISED}; border: 1px solid {LINE}; selection-background-color: #4a4436; }}
QTreeWidget::item {{ padding: 4px 2px; }}
QListView {{ background: {PANEL}; border: none; outline: none; }}
QListView::item {{ padding: 3px 4px; border-radius: 3px; }}
QMenu {{ background: {RAISED}; border: 1px solid {LINE}; padding: 4px; }}
QMenu::item {{ padding: 5px 24px 5px 12px; border-radius: 3px; }}
QMenu::item:selected {{ background: #4a4436; }}
QMenu::item:disabled {{ color: {FAINT}; }}
QMenu::separator {{ height: 1px; background: {LINE}; margin: 4px 8px; }}
QSplitter::handle {{ background: {LINE}; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
QScrollBar::handle {{ background: {LINE}; border-radius: 4px;
  min-height: 28px; min-width: 28px; margin: 1px; }}
QScrollBar::handle:hover {{ background: {FAINT}; }}
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{ background: none; border: none; height: 0;
  width: 0; }}
QScrollArea {{ background: transparent; border: none; }}
QTabBar::tab {{ background: transparent; color: {DIM}; padding: 6px 10px; border-bottom: 2px solid transparent; }}
QTabBar::tab:selected {{ color: {BRIGHT}; border-bottom: 2px solid {ACCENT}; }}
QTabWidget::pane {{ border: none; }}
QToolTip {{ background: {RAISED}; color: {TEXT}; border: 1px solid {LINE}; padding: 3px; }}
"""

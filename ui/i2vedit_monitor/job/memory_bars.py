"""What the running job is predicted to need of the device's memory, stage by stage, beside what there is."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from i2vedit_monitor import texts, theme
from i2vedit_monitor.model.facts import Plan
from i2vedit_monitor.texts import tr
from i2vedit_monitor.words import gigabytes


class MemoryBars(QWidget):
    """A bar for each stage; the line is what was free when the job began."""

    def __init__(self) -> None:
        super().__init__()
        self._plan: Plan | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_plan(self, plan: Plan | None) -> None:
        self._plan = plan
        self.setVisible(plan is not None)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        rows = len(self._plan.stages) if self._plan else 0
        return QSize(200, rows * (self.fontMetrics().height() + 4) + 4)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._plan is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.small(self.font(), 1.0))
        row = self.fontMetrics().height() + 4
        for number, peak in enumerate(self._plan.stages):
            self._paint_row(painter, QRectF(0, number * row, self.width(), row), peak.stage, peak.byte_count)

    def _paint_row(self, painter: QPainter, box: QRectF, stage: str, byte_count: int) -> None:
        assert self._plan is not None
        words, size = tr(texts.PLAN_STAGES.get(stage, texts.OTHER)), gigabytes(byte_count)
        left = max(painter.fontMetrics().horizontalAdvance(tr(name)) for name in texts.PLAN_STAGES.values()) + 10
        right = painter.fontMetrics().horizontalAdvance("000.0 GB") + 6
        painter.setPen(theme.colour(theme.DIM))
        painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)
        painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, size)
        bar = QRectF(left, box.center().y() - 2.5, max(box.width() - left - right, 10), 5)
        most = max(self._plan.total_bytes, 1)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(theme.LINE))
        painter.drawRoundedRect(bar, 2, 2)
        painter.setBrush(theme.colour(theme.BAD if byte_count > self._plan.free_bytes else theme.WAIT))
        painter.drawRoundedRect(QRectF(bar.left(), bar.top(), bar.width() * min(byte_count / most, 1), bar.height()), 2, 2)
        x = bar.left() + bar.width() * min(self._plan.free_bytes / most, 1)
        painter.setPen(QPen(theme.colour(theme.BRIGHT, 150), 1))
        painter.drawLine(round(x), round(bar.top() - 2), round(x), round(bar.bottom() + 2))

"""The way of a shot as five steps, each filled as far as it is done."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from i2vedit_monitor import texts, theme
from i2vedit_monitor.model.facts import JobFacts, State
from i2vedit_monitor.model.timing import TRACK
from i2vedit_monitor.texts import tr

PREPARING = TRACK[:3]
"""A preparation ends with learning."""
UNTAUGHT = ("preview", "train")
"""A preview learns nothing."""


class StageTrack(QWidget):
    """Shows `parts`, 0 to 1 for each stage of TRACK."""

    def __init__(self) -> None:
        super().__init__()
        self._job: JobFacts | None = None
        self._parts: dict[str, float] = {}
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(300, self.fontMetrics().height() + 18)

    def show_parts(self, job: JobFacts | None, parts: dict[str, float]) -> None:
        self._job, self._parts = job, parts
        if job is not None:
            said = (f"{tr(texts.STAGES[stage])} {part:.0%}" for stage, part in parts.items())
            self.setAccessibleName(", ".join(said))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._job is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        stages = [stage for stage in (PREPARING if self._job.is_preparation else TRACK) if (self._job.preset, stage) != UNTAUGHT]
        width = (self.width() - 6 * (len(stages) - 1)) / len(stages)
        for number, stage in enumerate(stages):
            self._paint_stage(painter, stage, QRectF(number * (width + 6), 0, width, self.height()))

    def _paint_stage(self, painter: QPainter, stage: str, box: QRectF) -> None:
        assert self._job is not None
        part, running = self._parts.get(stage, 0.0), self._job.state is State.RUNNING
        here = running and self._job.progress is not None and self._job.progress.stage == stage
        bar = QRectF(box.left(), box.bottom() - 7, box.width(), 4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(theme.LINE))
        painter.drawRoundedRect(bar, 2, 2)
        if part > 0:
            shade = theme.ACCENT if running else theme.GOOD if self._job.state is State.SUCCEEDED else theme.DIM
            painter.setBrush(theme.colour(shade))
            painter.drawRoundedRect(QRectF(bar.left(), bar.top(), bar.width() * part, bar.height()), 2, 2)
        painter.setFont(theme.small(self.font(), 0.5, bold=here))
        painter.setPen(theme.colour(theme.BRIGHT if here else theme.DIM if part else theme.FAINT))
        words = tr(texts.STEPS[stage])
        painter.drawText(box.adjusted(0, 0, 0, -9), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)
        if part >= 1:
            self._tick(painter, QPointF(box.left() + painter.fontMetrics().horizontalAdvance(words) + 8, box.center().y() - 4))
        elif here and part > 0:
            painter.setPen(theme.colour(theme.DIM))
            after = box.adjusted(painter.fontMetrics().horizontalAdvance(words) + 8, 0, 0, -9)
            painter.drawText(after, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, f"{part:.0%}")

    def _tick(self, painter: QPainter, at: QPointF) -> None:
        painter.setPen(QPen(theme.colour(theme.GOOD), 1.6))
        painter.drawPolyline(QPolygonF([at + QPointF(0, 1), at + QPointF(3, 4), at + QPointF(9, -3)]))

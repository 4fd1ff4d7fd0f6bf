"""How one job is drawn in the list: a mark of its state, two lines, and a thin bar of its progress."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from i2vedit_monitor import icons, theme
from i2vedit_monitor.model.facts import JobFacts, State
from i2vedit_monitor.model.timing import overall_part
from i2vedit_monitor.queue.job_list import JOB_ROLE
from i2vedit_monitor.words import ago, job_line, time_left

Index = QModelIndex | QPersistentModelIndex
MARKS = {State.SUCCEEDED: "check", State.FAILED: "warning", State.CANCELLED: "cancel", State.PAUSED: "pause"}
MARGIN = 12
MARK = 16


class JobRow(QStyledItemDelegate):
    """Draws the job that the index holds; every row has the same height."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(200, round(option.fontMetrics.height() * 2.1) + 22)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        job = index.data(JOB_ROLE)
        if not isinstance(job, JobFacts):
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        _ground(painter, option)
        box = option.rect.adjusted(MARGIN, 8, -MARGIN, -8)
        _mark(painter, job, QRect(box.left(), box.top() + 2, MARK, MARK))
        _lines(painter, option, job, box.adjusted(MARK + 10, 0, 0, 0))
        if job.state is State.RUNNING:
            _bar(painter, job, QRectF(box.left() + MARK + 10, box.bottom() - 1, box.width() - MARK - 10, 3))
        painter.restore()


def _ground(painter: QPainter, option: QStyleOptionViewItem) -> None:
    chosen = bool(option.state & QStyle.StateFlag.State_Selected)
    hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
    if chosen or hovered:
        painter.fillRect(option.rect, theme.colour(theme.RAISED if chosen else "#262626"))
    if chosen:
        painter.fillRect(QRect(option.rect.left(), option.rect.top(), 3, option.rect.height()), theme.colour(theme.ACCENT))
    painter.setPen(QPen(theme.colour(theme.GROUND), 1))
    painter.drawLine(option.rect.bottomLeft(), option.rect.bottomRight())


def _mark(painter: QPainter, job: JobFacts, box: QRect) -> None:
    shade = theme.STATE_COLOURS.get(job.state.value, theme.DIM)
    if job.state in MARKS:
        icons.icon(MARKS[job.state], shade).paint(painter, box)
        return
    painter.setPen(QPen(theme.colour(shade), 1.6))
    painter.setBrush(theme.colour(shade) if job.state is State.RUNNING else Qt.BrushStyle.NoBrush)
    painter.drawEllipse(QRectF(box).adjusted(4, 4, -4, -4))


def _lines(painter: QPainter, option: QStyleOptionViewItem, job: JobFacts, box: QRect) -> None:
    # What is asked of the font is asked of the view's, since the painter's may be another after a row with a mark.
    aside = time_left(job) or (ago(job.ended) if job.state.ended else "")
    second = theme.small(option.font, 1.0)
    painter.setFont(second)
    width = painter.fontMetrics().horizontalAdvance(aside) + 10 if aside else 0
    line = option.fontMetrics.height()
    top, below = QRect(box.left(), box.top(), box.width(), line + 2), QRect(box.left(), box.top() + line + 3, box.width(), line + 2)
    painter.setPen(theme.colour(theme.DIM))
    painter.drawText(top, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, aside)
    painter.setPen(theme.colour(theme.BAD if job.state is State.FAILED else theme.DIM))
    said = painter.fontMetrics().elidedText(job_line(job), Qt.TextElideMode.ElideRight, below.width())
    painter.drawText(below, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, said)
    painter.setFont(option.font)
    painter.setPen(theme.colour(theme.FAINT if job.state is State.CANCELLED else theme.BRIGHT))
    title = painter.fontMetrics().elidedText(job.title, Qt.TextElideMode.ElideMiddle, top.width() - width)
    painter.drawText(top, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, title)


def _bar(painter: QPainter, job: JobFacts, box: QRectF) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour(theme.LINE))
    painter.drawRoundedRect(box, 1.5, 1.5)
    painter.setBrush(theme.colour(theme.ACCENT))
    painter.drawRoundedRect(QRectF(box.left(), box.top(), box.width() * overall_part(job), box.height()), 1.5, 1.5)

"""The loss of the motion LoRA's training. pyqtgraph is imported when the first curve is shown: it takes half a second."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QPen
from PySide6.QtWidgets import QStackedLayout, QWidget

from i2vedit_monitor import texts, theme
from i2vedit_monitor.model.loss_curve import LossCurve
from i2vedit_monitor.texts import tr

HEIGHT = 170
SMOOTHED = 25
"""The bright line is the mean of so many points."""


class LossPlot(QWidget):
    """Faint points, their moving mean, and a line wherever a chunk was learnt to its end."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(HEIGHT)
        self._layout = QStackedLayout(self)
        self._plot: Any = None
        self._faint: Any = None
        self._mean: Any = None
        self._marks: list[Any] = []

    def show_curve(self, curve: LossCurve | None) -> None:
        """Hides itself where there is nothing to show."""
        self.setVisible(curve is not None and len(curve) > 1)
        if curve is None or len(curve) < 2:
            return
        if self._plot is None:
            self._make()
        steps, losses = np.array(curve.steps), np.array(curve.losses)
        self._faint.setData(steps, losses)
        self._mean.setData(steps, mean_by_chunk(steps, losses, curve.kept), connect="finite")
        self._show_marks(curve.kept)

    def _make(self) -> None:
        import pyqtgraph

        pyqtgraph.setConfigOptions(antialias=True, background=theme.PANEL, foreground=theme.DIM)
        plot = pyqtgraph.PlotWidget()
        plot.setMenuEnabled(False)
        plot.setMouseEnabled(x=False, y=False)
        plot.hideButtons()
        plot.setFrameShape(plot.Shape.NoFrame)
        plot.showGrid(x=False, y=True, alpha=0.12)
        plot.setAccessibleName(tr(texts.LOSS_TIP))
        plot.setToolTip(tr(texts.LOSS_TIP))
        for side in ("left", "bottom"):
            axis = plot.getAxis(side)
            axis.setTickFont(theme.small(self.font(), 2.0))
            axis.setPen(QPen(theme.colour(theme.LINE)))
            axis.setTextPen(theme.DIM)
        self._faint = plot.plot(pen=pyqtgraph.mkPen(theme.colour(theme.ACCENT, 70), width=1))
        self._mean = plot.plot(pen=pyqtgraph.mkPen(theme.ACCENT, width=2))
        self._plot = plot
        self._layout.addWidget(plot)

    def _show_marks(self, steps: list[int]) -> None:
        import pyqtgraph

        if len(steps) == len(self._marks):
            return
        for mark in self._marks:
            self._plot.removeItem(mark)
        pen = pyqtgraph.mkPen(theme.colour(theme.GOOD, 150), width=1, style=Qt.PenStyle.DashLine)
        self._marks = [pyqtgraph.InfiniteLine(step, 90, pen) for step in steps]
        for mark in self._marks:
            self._plot.addItem(mark)


def mean_by_chunk(steps: NDArray[Any], losses: NDArray[Any], kept: list[int]) -> NDArray[Any]:
    """The moving mean, anew for each chunk; NaN where a chunk begins, so that no line joins two of them."""
    ends = np.searchsorted(steps, kept)
    means = np.concatenate([moving_mean(part, SMOOTHED) for part in np.split(losses, ends) if len(part)])
    means[[end for end in ends if 0 < end < len(means)]] = np.nan
    return means


def moving_mean(values: NDArray[Any], count: int) -> NDArray[Any]:
    """Mean of each value and the ones before it, `count` at most."""
    sums = np.cumsum(np.insert(values.astype(np.float64), 0, 0.0))
    ends = np.arange(1, len(values) + 1)
    begins = np.maximum(ends - count, 0)
    means: NDArray[Any] = (sums[ends] - sums[begins]) / (ends - begins)
    return means

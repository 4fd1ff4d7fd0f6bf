"""What the watcher hears comes into the window a little at a time."""

import time

from PySide6.QtCore import QTimer

from i2vedit_monitor.link.pump import BUDGET_SECONDS, FEWEST, MOST, Pump
from i2vedit_monitor.model.changes import JobForgotten
from i2vedit_monitor.model.health import Health


class Book:
    """Takes changes, and counts them by the tick; each costs it some work."""

    def __init__(self, work_seconds: float) -> None:
        self.pieces: list[int] = []
        self._work_seconds = work_seconds

    def take(self, changes) -> None:
        self.pieces.append(len(changes))
        end = time.thread_time() + self._work_seconds
        while time.thread_time() < end:
            pass


def drained(book: Book, count: int) -> Pump:
    pump = Pump(book, Health())  # type: ignore[arg-type]
    for number in range(count):
        pump.put(JobForgotten(f"jobs/{number}"))
    while not pump.is_idle:
        pump.drain()
    pump.stop()
    return pump


def test_a_flood_is_taken_in_pieces_that_grow_while_they_cost_little(dressed):
    book = Book(0.0)
    drained(book, 3 * MOST)
    assert sum(book.pieces) == 3 * MOST and book.pieces[0] == FEWEST and max(book.pieces) <= MOST
    assert max(book.pieces) > FEWEST


def test_pieces_that_cost_much_stay_small(dressed):
    book = Book(2 * BUDGET_SECONDS)
    drained(book, 10 * FEWEST)
    assert book.pieces == [FEWEST] * 10


def test_the_window_works_between_two_pieces(dressed, qtbot):
    """A flood does not keep other timers from their turn."""
    book, beats = Book(2 * BUDGET_SECONDS), []
    pump = Pump(book, Health())  # type: ignore[arg-type]
    beat = QTimer(interval=0)
    beat.timeout.connect(lambda: beats.append(len(book.pieces)))
    for number in range(10 * FEWEST):
        pump.put(JobForgotten(f"jobs/{number}"))
    beat.start()
    qtbot.waitUntil(lambda: pump.is_idle, timeout=30_000)
    beat.stop()
    pump.stop()
    assert set(range(1, len(book.pieces))) <= set(beats), "between each two pieces another timer had its turn"

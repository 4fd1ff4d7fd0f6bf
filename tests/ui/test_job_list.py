"""The list of jobs as Qt sees it."""

import random
import sys

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester

from i2vedit_monitor.model.book import JobBook
from i2vedit_monitor.model.changes import AllTold, JobForgotten, JobTold
from i2vedit_monitor.model.facts import JobFacts, State
from i2vedit_monitor.queue.job_list import JOB_ROLE, JobList, Shown


def job(name: str, state: State = State.QUEUED, **more) -> JobFacts:
    return JobFacts(name, state, False, f"/shots/{name}.mov", 0, 24, **more)


@pytest.fixture
def book() -> JobBook:
    return JobBook()


@pytest.fixture
def rows(book, dressed):
    model = JobList(book)
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    yield model
    tester.deleteLater()


def names(model: JobList) -> list[str]:
    return [model.index(row).data(JOB_ROLE).name for row in range(model.rowCount())]


def in_turn(book: JobBook) -> list[str]:
    return [one.name for one in sorted(book.jobs(), key=lambda one: one.turn)]


def test_rows_stay_in_their_turn_whatever_happens(book, rows):
    """Qt's own tester watches every insertion, move and removal meanwhile."""
    draw = random.Random(4)
    states = list(State)
    for _ in range(400):
        name = f"jobs/{draw.randrange(12)}"
        if draw.random() < 0.1:
            book.take([JobForgotten(name)])
        else:
            moment = draw.randrange(50)
            told = job(name, draw.choice(states), priority=draw.randint(1, 3), position=moment, started=moment, ended=moment)
            book.take([JobTold(told)])
        assert names(rows) == in_turn(book)
        assert all(rows.row_of(name) == row for row, name in enumerate(names(rows)))


def test_many_at_once_lay_the_list_out_anew(book, rows, qtbot):
    with qtbot.waitSignal(rows.laid_out):
        book.take([JobTold(job(f"jobs/{number}", position=number)) for number in range(500)])
    assert rows.rowCount() == 500
    with qtbot.waitSignal(rows.laid_out):
        book.take([AllTold(frozenset({"jobs/3"}))])
    assert names(rows) == ["jobs/3"]


def test_only_what_is_asked_for_is_shown(book, rows):
    book.take([JobTold(job("jobs/a")), JobTold(job("jobs/b", State.FAILED)), JobTold(job("jobs/c", State.SUCCEEDED))])
    for shown, expected in ((Shown.LIVE, ["jobs/a"]), (Shown.FAILED, ["jobs/b"]), (Shown.DONE, ["jobs/c"])):
        rows.show_only(shown)
        assert names(rows) == expected
    rows.show_only(Shown.ALL, "JOBS/B")
    assert names(rows) == ["jobs/b"]
    book.take([JobTold(job("jobs/a", State.RUNNING))])
    assert names(rows) == ["jobs/b"], "what is not looked for stays away"


def test_a_waiting_job_is_dropped_before_another(book, rows, qtbot):
    book.take([JobTold(job("jobs/run", State.RUNNING)), *(JobTold(job(f"jobs/{number}", position=number)) for number in range(3))])
    assert not rows.flags(rows.index(0)) & Qt.ItemFlag.ItemIsDragEnabled, "what runs keeps its place"
    dragged = rows.mimeData([rows.index(3)])
    with qtbot.waitSignal(rows.move_wanted) as wanted:
        assert not rows.dropMimeData(dragged, Qt.DropAction.MoveAction, 1, 0, QModelIndex())
    assert wanted.args == ["jobs/2", "jobs/0"]
    with qtbot.waitSignal(rows.move_wanted) as wanted:
        rows.dropMimeData(rows.mimeData([rows.index(1)]), Qt.DropAction.MoveAction, 4, 0, QModelIndex())
    assert wanted.args == ["jobs/0", ""], "below the last one is the end"
    assert names(rows) == ["jobs/run", "jobs/0", "jobs/1", "jobs/2"], "the server says where it is then"


def test_a_row_says_itself_to_a_screen_reader(book, rows):
    book.take([JobTold(job("jobs/a", State.PAUSED))])
    assert rows.index(0).data(Qt.ItemDataRole.AccessibleTextRole) == "a.mov, Paused"


def test_signals_leave_the_counts_of_python_alone(rows):
    """PySide6 6.12.0 takes a reference to True with every signal; after some thousands Python 3.11 ends."""
    before = sys.getrefcount(True)
    for _ in range(200):
        rows.laid_out.emit()
    assert abs(sys.getrefcount(True) - before) < 100

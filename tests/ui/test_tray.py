"""The icon among the system's own; made here without a place for it."""

import pytest

from i2vedit_monitor.model.book import JobBook
from i2vedit_monitor.model.changes import JobTold, Progressed
from i2vedit_monitor.model.facts import JobFacts, Progress, State, Trouble
from i2vedit_monitor.tray import Tray


def job(state: State, **more) -> JobFacts:
    return JobFacts("jobs/a", state, False, "/shots/a.mov", 0, 24, **more)


@pytest.fixture
def said(dressed, monkeypatch):
    """A book that a tray follows, and what the tray has said."""
    book, messages = JobBook(), []
    tray = Tray(book)
    monkeypatch.setattr(tray.icon, "showMessage", lambda title, text, kind: messages.append((title, text)))
    return book, tray, messages


def test_it_says_how_far_the_running_job_is(said):
    book, tray, _ = said
    book.take([JobTold(job(State.RUNNING)), Progressed("jobs/a", Progress("train", 1, 4, 0, 10, 0.2, 125.0))])
    assert tray.icon.toolTip() == "a.mov: Learning its motion, chunk 2 of 4 about 2 min 5 s left"
    book.take([JobTold(job(State.SUCCEEDED))])
    assert tray.icon.toolTip() == "I2VEdit Monitor"


def test_it_tells_the_end_of_what_was_seen_running_and_of_nothing_else(said):
    book, _, messages = said
    book.take([JobTold(job(State.SUCCEEDED))])
    assert messages == [], "that is no news"
    book.take([JobTold(job(State.RUNNING))])
    book.take([JobTold(job(State.FAILED, trouble=Trouble("INTERNAL", "WORKER_LOST", "The worker was lost.")))])
    assert messages == [("a.mov", "The worker was lost.")]
    book.take([JobTold(job(State.RUNNING))])
    book.take([JobTold(job(State.CANCELLED))])
    assert len(messages) == 1, "whoever cancels knows"

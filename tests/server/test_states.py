"""The state machine: what the table allows happens, nothing else does, and the drawing shows it."""

import itertools
import re
from pathlib import Path

import pytest
from tests.server.test_store import add

from i2vedit_server.rows import Details
from i2vedit_server.states import RULES, JobState, Step
from i2vedit_server.store import JobStore

DRAWING = Path(__file__).parents[2] / "docs" / "jobs.md"
ARROW = re.compile(r"^    ([A-Z]+) --> ([A-Z]+) : ([a-z]+)$", re.MULTILINE)


def test_the_drawing_is_the_table() -> None:
    drawn = ARROW.findall(DRAWING.read_text(encoding="utf-8"))
    table = [(state.name, rule.to.name, step.value) for step, rule in RULES.items() for state in rule.comes_from]
    assert sorted(drawn) == sorted(table)


@pytest.mark.parametrize(("begin", "step"), list(itertools.product(JobState, Step)))
def test_only_what_the_table_allows_happens(store: JobStore, begin: JobState, step: Step) -> None:
    record = add(store, begin)
    moved = store.transition(record.job_id, step, _speaking_for(record.attempt, begin))
    if begin in RULES[step].comes_from:
        assert moved is not None and moved.state is RULES[step].to
        assert (moved.end_microseconds is not None) == moved.state.ended
        assert (moved.lease_microseconds is not None) == (moved.state is JobState.RUNNING)
    else:
        assert moved is None
        assert store.get(record.job_id) == record


@pytest.mark.parametrize("step", [Step.REQUEUE, Step.PAUSE, Step.CANCEL, Step.SUCCEED, Step.FAIL])
def test_the_late_word_of_a_former_worker_changes_nothing(store: JobStore, step: Step) -> None:
    job_id = add(store, JobState.RUNNING).job_id
    store.transition(job_id, Step.REQUEUE, Details(attempt=1))
    waiting = store.get(job_id)
    assert store.transition(job_id, step, Details(attempt=1)) is None
    assert store.get(job_id) == waiting
    store.transition(job_id, Step.CLAIM)
    running = store.get(job_id)
    assert store.transition(job_id, step, Details(attempt=1)) is None
    assert store.transition(job_id, step) is None, "and nobody may speak for a running job without saying for which attempt"
    assert store.get(job_id) == running


def _speaking_for(attempt: int, state: JobState) -> Details:
    return Details(attempt=attempt if state is JobState.RUNNING else None)

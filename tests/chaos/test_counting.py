"""The parts of the chaos script that judge: a promise that is broken is seen."""

from pathlib import Path

import pytest
from tests.chaos.files import FinalNames
from tests.chaos.jobs import Job, Struck
from tests.chaos.moments import Changes, NewFile, wait_until
from tests.chaos.notes import Redone, read_notes, redone
from tests.chaos.plan import SERVERS, Deck, Kill, Moment, Victim, plan_kills
from tests.chaos.rounds import Pace
from tests.chaos.run import Ledger
from tests.chaos.stage import Stage
from tests.chaos.tally import Tally
from tests.server.noting import notes_file

from i2vedit.v1 import job_pb2
from i2vedit_core.method.preparation import INVERSION_CHECKPOINT_EVERY

KILL = Kill(Victim.WORKER, Moment.FRAME, 0.5)


def notes(folder: Path, *lines: str) -> list:
    path = folder / "notes"
    path.write_text("".join(f"{line}\n" for line in lines))
    return read_notes(path)


def test_a_plan_is_the_same_for_the_same_seed_and_has_every_moment() -> None:
    plan = plan_kills(200, seed=3)
    assert len(plan) == 200 and plan == plan_kills(200, seed=3) and plan != plan_kills(200, seed=4)
    assert {kill.moment for kill in plan} == set(Moment) and {kill.victim for kill in plan} == set(Victim)
    assert sum(kill.moment in (Moment.STARTING, Moment.RUNNING) for kill in plan) == 100
    assert all(kill.victim in SERVERS for kill in plan if kill.moment in (Moment.COMMIT, Moment.SUBMIT))


def test_a_deck_gives_what_suits_and_tries_earlier_what_did_not_come() -> None:
    deck = Deck([KILL, Kill(Victim.SERVER, Moment.COMMIT, 0)])
    assert deck.draw({Victim.WORKER, Moment.COMMIT}) is None and len(deck) == 2
    second = deck.draw({Victim.WORKER})
    assert second is not None and second.moment is Moment.COMMIT
    first = deck.draw(set())
    assert first == KILL
    deck.put_back(KILL)
    again = deck.draw(set())
    assert again is not None and again.fraction == KILL.fraction / 2 and len(deck) == 0


def test_steps_of_a_second_attempt_that_the_first_had_done_are_counted(tmp_path: Path) -> None:
    first = [
        "7 1.0 called",
        "7 1.1 invert 0 25",
        "7 2.0 begins",
        "7 2.1 invert 0 0",
        "7 2.2 train 0 0",
        "7 2.3 train 0 1",
        "7 2.4 train 0 2",
    ]
    second = [
        "9 3.0 called",
        "9 3.1 begins",
        "9 3.1 invert 0 25",
        "9 3.2 train 0 1",
        "7 3.3 train 0 3",
        "9 3.4 train 0 2",
        "9 3.5 train 0 3",
        "9 4 ended",
    ]
    assert redone(notes(tmp_path, *first)) == []
    assert redone(notes(tmp_path, *first, *second)) == [Redone(invert=0, train=3, edit=0)]


def test_what_an_interrupted_run_has_found_is_read_again(tmp_path: Path) -> None:
    tally = Tally(jobs=3, redone=[Redone(train=4)], frames_redone=[1], lost=["a job"])
    tally.count(KILL, caught=True)
    ledger = Ledger(plan_kills(5, 1), plan_kills(5, 1)[2:], {0: {7: "hash"}}, Pace(1.5, 2.5, 3.5), tally, rounds=2)
    ledger.save(tmp_path / "chaos.json")
    assert Ledger.load(tmp_path / "chaos.json", plan_kills(5, 1)) == ledger
    assert Ledger.load(tmp_path / "none.json", plan_kills(5, 1)) is None
    with pytest.raises(ValueError, match="another plan"):
        Ledger.load(tmp_path / "chaos.json", plan_kills(5, 2))


def test_after_its_time_a_deck_deals_nothing() -> None:
    deck = Deck([KILL], is_open=lambda: False)
    assert deck.draw(set()) is None and deck.left == [KILL]


def test_a_job_is_beyond_training_when_its_last_chunk_is(tmp_path: Path) -> None:
    two_chunks = Job(0, Stage(tmp_path, tmp_path, tmp_path).spec(0, tmp_path / "out"), "request")
    noted = notes_file(tmp_path / "out")
    noted.write_text("7 1.0 train 0 0\n7 2.0 edit 0 3\n7 2.1 train 1 2\n")
    assert not two_chunks.has_trained()
    noted.write_text("7 2.1 train 1 59\n7 3.0 edit 1 0\n")
    assert two_chunks.has_trained()


def test_a_line_that_was_cut_off_is_no_note(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("7 1.0 called\n7 1.0 tra")
    assert [note.word for note in read_notes(tmp_path / "notes")] == ["called"]
    assert read_notes(tmp_path / "none") == []


def test_a_frame_that_was_there_and_is_written_again_is_counted(tmp_path: Path) -> None:
    spec = job_pb2.JobSpec(delivery=job_pb2.DeliverySettings(directory=str(tmp_path)))
    folder = tmp_path / "shot_v001"
    folder.mkdir()
    kept, gone = folder / "shot_v001.0000.exr", folder / "shot_v001.0001.exr"
    kept.write_bytes(b"frame")
    status = kept.stat()
    there = {kept: (status.st_ino, status.st_mtime_ns), gone: (1, 1)}
    job = Job(0, spec, "request", struck=[Struck(KILL, there, unfinished=0), Struck(KILL, {}, unfinished=1)])
    assert job.frames_redone() == [1, 1]


@pytest.mark.parametrize(
    "wrong",
    [
        Tally(lost=["a"]),
        Tally(duplicates=["a"]),
        Tally(broken=["a"]),
        Tally(different=["a"]),
        Tally(left_behind=["a"]),
        Tally(unjudged=["a"]),
        Tally(redone=[Redone(train=51)]),
        Tally(redone=[Redone(invert=INVERSION_CHECKPOINT_EVERY + 1)]),
        Tally(redone=[Redone(edit=26)]),
        Tally(frames_redone=[2]),
    ],
)
def test_every_broken_promise_is_told(wrong: Tally) -> None:
    assert len(wrong.broken_promises()) == 1
    assert "| outcome |" in wrong.table()


def test_what_may_be_done_twice_is_no_broken_promise() -> None:
    tally = Tally(redone=[Redone(train=50, invert=INVERSION_CHECKPOINT_EVERY, edit=25)], frames_redone=[1])
    tally.count(KILL, caught=True)
    assert tally.broken_promises() == []
    assert "| EXR write | 1 | 0 | 0 | 1 |" in tally.table()


def test_a_broken_file_under_a_final_name_is_seen_once(tmp_path: Path) -> None:
    (tmp_path / "ticket.json").write_text("{}")
    files = FinalNames(tmp_path)
    files.check()
    assert (files.count, files.broken) == (1, [])
    (tmp_path / "a.0001.exr").write_bytes(b"half a frame")
    (tmp_path / ".i2vedit-00.part").write_bytes(b"not yet under its name")
    files.check()
    assert files.count == 1 and len(files.broken) == 1 and files.broken[0].startswith("a.0001.exr")


def test_moments_come_or_pass_by(tmp_path: Path) -> None:
    (tmp_path / "shot").mkdir()
    (tmp_path / "shot" / ".i2vedit-01.part").touch()
    begun, changed = NewFile(tmp_path, "*"), Changes(tmp_path / "wal", 2)
    assert not begun() and not changed()
    assert not wait_until(begun, over=lambda: True, seconds=5)
    (tmp_path / "shot" / ".i2vedit-02.part").touch()
    (tmp_path / "wal").write_bytes(b"a commit")
    assert begun() and not changed()
    (tmp_path / "wal").write_bytes(b"and another")
    assert changed() and wait_until(changed, over=lambda: False, seconds=5)
    with pytest.raises(TimeoutError):
        wait_until(lambda: False, over=lambda: False, seconds=0.01)

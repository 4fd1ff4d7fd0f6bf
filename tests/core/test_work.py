"""A job's notes: what it has begun is its own, and found again after a kill."""

from dataclasses import replace
from pathlib import Path

import pytest

from i2vedit_core.delivery.ticket import Ticket
from i2vedit_core.work import Work


@pytest.fixture
def ticket() -> Ticket:
    return Ticket(
        plate_path="/plates/shot.mov",
        plate_sha256="11" * 32,
        first=0,
        last=13,
        edit_path="/paint/frame.psd",
        edit_sha256="22" * 32,
        edit_frame=0,
        model="mini",
        model_sha256="33" * 32,
        settings={"steps": 25},
        delivery={"depth": "half"},
        seed=0,
        device="cpu",
        dtype="float32",
        threads=1,
        versions={"torch": "2.13.0"},
        created="2026-01-01T00:00:00Z",
    )


def test_a_folder_that_was_noted_and_never_made_is_none(tmp_path: Path, ticket: Ticket) -> None:
    work = Work(tmp_path / "work")
    work.claim(ticket)
    work.remember_version(tmp_path / "shot_v001")
    assert work.version_folder() is None
    (tmp_path / "shot_v001").mkdir()
    assert work.version_folder() == tmp_path / "shot_v001"


def test_a_folder_that_somebody_else_made_meanwhile_is_theirs(tmp_path: Path, ticket: Ticket) -> None:
    work, folder = Work(tmp_path / "work"), tmp_path / "shot_v001"
    work.claim(ticket)
    work.remember_version(folder)
    folder.mkdir()
    replace(ticket, edit_sha256="44" * 32).save(folder)
    assert work.version_folder() is None
    replace(ticket, created="2026-01-02T00:00:00Z").save(folder)
    assert work.version_folder() == folder, "an earlier attempt's"


def test_how_many_frames_are_decoded_at_once_is_kept_from_the_beginning(tmp_path: Path, ticket: Ticket) -> None:
    """It decides pixels: with more memory an attempt may decode more of them, but then half the sequence would be another one."""
    begun = replace(ticket, settings={"steps": 25, "decode_frames": 7})
    work = Work(tmp_path / "work")
    assert work.decode_frames_of(begun) is None
    work.claim(begun)
    assert work.decode_frames_of(replace(ticket, settings={"steps": 25, "decode_frames": 14})) == 7
    assert work.decode_frames_of(replace(ticket, settings={"steps": 10, "decode_frames": 14})) is None, "another delivery"
    (tmp_path / "shot_v001").mkdir()
    work.remember_version(tmp_path / "shot_v001")
    work.claim(replace(ticket, settings={"steps": 25, "decode_frames": 5}))
    assert work.version_folder() is None, "with less memory it is another version"

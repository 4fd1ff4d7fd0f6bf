"""For how long uploads and deliveries of callers from elsewhere stay."""

import asyncio
import os
import time
from pathlib import Path

import pytest
from tests.server.conftest import StartServer
from tests.server.harness import wait_for

from i2vedit.v1 import clip_pb2, job_pb2
from i2vedit_server.database import Database
from i2vedit_server.record import NewJob
from i2vedit_server.remote_files import GOING, GRACE_SECONDS, PAGE, Keeping, evict, list_items, mark_used, needed_paths

DAY = 86400.0
MUCH = 10**12


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Of uploads and of deliveries."""
    return tmp_path / "uploads", tmp_path / "deliveries"


def put(path: Path, byte_count: int, age_seconds: float) -> Path:
    """A file that was used so long ago; gives its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(byte_count))
    for each in (path, path.parent):
        os.utime(each, (time.time() - age_seconds,) * 2)
    return path.parent


def gone(folders: tuple[Path, Path], keeping: Keeping, *needed: Path) -> set[Path]:
    return set(evict(list_items(*folders), keeping, set(needed)))


def test_what_nobody_has_used_for_long_goes(folders: tuple[Path, Path]) -> None:
    uploads, deliveries = folders
    old = put(uploads / "aa" / "shot.mov", 10, 31 * DAY)
    young = put(uploads / "bb" / "shot.mov", 10, 29 * DAY)
    fetched = put(deliveries / "cc" / "shot_v001" / "shot_v001.0001.exr", 10, 31 * DAY)
    version = put(deliveries / "cc" / "shot_v002" / "shot_v002.0001.exr", 10, 31 * DAY)
    part = uploads / "dd.part"
    put(part, 10, 31 * DAY)
    mark_used(fetched)
    assert gone(folders, Keeping(MUCH, 30 * DAY)) == {old, version, part}
    assert young.exists() and fetched.exists() and not old.exists() and not version.exists() and not part.exists()


def test_of_too_much_the_longest_unused_goes_first(folders: tuple[Path, Path]) -> None:
    uploads, deliveries = folders
    first = put(uploads / "aa" / "shot.mov", 10**6, 5 * DAY)
    second = put(deliveries / "bb" / "shot_v001" / "a.exr", 10**6, 4 * DAY)
    third = put(uploads / "cc" / "shot.mov", 10**6, 3 * DAY)
    assert gone(folders, Keeping(2 * 10**6, 30 * DAY)) == {first, second}, "folders take some room, too"
    assert third.exists()


def test_what_a_job_needs_stays_and_is_young_from_then_on(folders: tuple[Path, Path]) -> None:
    uploads, deliveries = folders
    clip = put(uploads / "aa" / "shot.mov", 10, 99 * DAY)
    version = put(deliveries / "bb" / "shot_v001" / "a.exr", 10, 99 * DAY)
    assert gone(folders, Keeping(0, DAY), clip / "shot.mov", deliveries / "bb") == set()
    assert gone(folders, Keeping(0, DAY)) == set(), "the job has ended only now"
    assert clip.exists() and version.exists()


def test_what_was_just_sent_stays_however_full_it_is(folders: tuple[Path, Path]) -> None:
    put(folders[0] / "aa" / "shot.mov", 10, GRACE_SECONDS / 2)
    put(folders[0] / "bb" / "later.mov", 10, -DAY)  # by a clock that was put back since
    assert gone(folders, Keeping(0, 1.0)) == set()


def test_what_a_killed_server_was_removing_goes_and_links_are_left_alone(folders: tuple[Path, Path], tmp_path: Path) -> None:
    uploads, _ = folders
    half = put(uploads / f"{GOING}aa" / "shot.mov", 10, 0)
    mine = put(tmp_path / "mine" / "shot.mov", 10, 99 * DAY)
    (uploads / "link").symlink_to(mine)
    assert gone(folders, Keeping(0, 1.0)) == set()
    assert not half.exists() and (mine / "shot.mov").exists()
    assert list_items(tmp_path / "no uploads", tmp_path / "no deliveries") == []


def test_every_unfinished_job_is_asked(tmp_path: Path) -> None:
    async def ask() -> frozenset[Path]:
        database = Database(tmp_path / "jobs.sqlite3")
        for number in range(PAGE + 5):
            spec = job_pb2.JobSpec(
                clip=clip_pb2.ClipRef(path=f"/up/{number}.mov"),
                edits=[job_pb2.EditedFrame(path="/up/edit.png")],
                delivery=job_pb2.DeliverySettings(directory="/out"),
            )
            await database(database.store.create, NewJob(f"r{number}", spec.SerializeToString(), f"f{number}", 1, attach=False))
        try:
            return await needed_paths(database)
        finally:
            await database.close()

    clips = {Path(f"/up/{number}.mov") for number in range(PAGE + 5)}
    assert asyncio.run(ask()) == clips | {Path("/up/edit.png"), Path("/out")}


def test_a_server_tidies_when_it_starts(start_server: StartServer, tmp_path: Path) -> None:
    data = tmp_path / "data"
    old = put(data / "uploads" / "aa" / "shot.mov", 10, 3 * DAY)
    young = put(data / "uploads" / "bb" / "shot.mov", 10, 0.5 * DAY)
    (data / "config.toml").write_text("[remote]\nkept_days = 1\n")
    start_server(folder=data)
    wait_for(lambda: not old.exists())
    assert young.exists()

"""The server benchmark in small: the store is filled, everybody is told everything, the page is written. Times are never asserted."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from i2vedit.v1 import job_pb2
from server_load import fill_store

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "server.py"
QUICK = ("--jobs", "30", "--clients", "3", "--calls", "5", "--watchers", "6", "--stalled", "2", "--frames", "4", "--lora-steps", "4")
PREPARED = ("--prepared-model", "tiny", "--prepared-frames", "4")


def test_the_store_is_filled_with_ended_jobs(tmp_path: Path) -> None:
    spec = job_pb2.JobSpec(settings=job_pb2.PropagationSettings(seed=7))
    fill_store(tmp_path / "data" / "jobs.sqlite3", [spec] * 12)
    with closing(sqlite3.connect(tmp_path / "data" / "jobs.sqlite3")) as connection:
        found = connection.execute("SELECT state, spec FROM jobs").fetchall()
    assert len(found) == 12 and {state for state, _ in found} == {"cancelled"}
    assert job_pb2.JobSpec.FromString(found[0][1]).settings.seed == 7


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_everybody_is_told_everything_and_the_page_says_so(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(BENCHMARK), *QUICK, *PREPARED, "--out", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split("|") for line in (tmp_path / "server.md").read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    said = {row[1].strip(): row[2].strip() for row in rows}
    assert said["watchers that were told all 4 frames once and in order, and the end"] == "4 of 4"
    assert said["stalled watchers that were told the end when they read at last"] == "2 of 2"
    assert said["jobs listed, pages, s"].startswith("32, 1,")
    cold, prepared, second = (
        float(said[what]) for what in ("nothing ready", "shot prepared while the frame was painted", "second edit of the first shot")
    )
    assert max(prepared, second) < cold, "they need neither inversion nor training"

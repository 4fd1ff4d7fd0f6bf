"""The speed benchmark in small: every table is written, and counts are what the method promises. Times are never asserted."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.tiny_model import save_tiny_model

from i2vedit_core.settings import LoraSettings, MapStore, Settings
from job_speed import Task, measure, two_edits

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "speed.py"
STEPS, LORA_STEPS, FRAMES = 3, 2, 4
QUICK = ("--steps", str(STEPS), "--lora-steps", str(LORA_STEPS), "--repeats", "1", "--rows", "16", "--lengths", "4", "7")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny") / "model"
    save_tiny_model(folder, frames=FRAMES)
    return folder


def _task(model: Path, folder: Path, maps: MapStore | None = None) -> Task:
    settings = Settings(steps=STEPS, guidance=(1.0, 1.0), lora=LoraSettings(steps=LORA_STEPS, rank=2, checkpoint_every=1), maps=maps)
    return Task(str(model), settings, folder, FRAMES)


@pytest.mark.slow
def test_a_second_edit_only_denoises(model: Path, tmp_path: Path) -> None:
    first, second = two_edits(_task(model, tmp_path))
    assert (first.evaluations, second.evaluations) == (STEPS + LORA_STEPS + 2 * STEPS, 2 * STEPS)
    assert {"invert", "train", "edit"} <= set(first.stage_seconds) and set(second.stage_seconds) == {"edit"}
    assert sum(first.chunk_seconds) == pytest.approx(first.seconds, rel=0.2)
    assert first.most_bytes > first.kept_bytes > 0, "the optimiser lies on disk only while the LoRA is trained"


@pytest.mark.slow
def test_maps_on_disk_take_far_more_than_a_trajectory(model: Path, tmp_path: Path) -> None:
    replayed, stored = (measure(_task(model, tmp_path / kind, kind)) for kind in (MapStore.REPLAY, MapStore.DISK))
    assert stored.kept_bytes > 10 * replayed.kept_bytes and stored.evaluations < replayed.evaluations


@pytest.mark.slow
def test_every_table_is_written(model: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(BENCHMARK), *QUICK, "--model", str(model), "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "README.md").read_text(encoding="utf-8")
    for heading in ("matching operator", "First and second edit", "Presets", "Length of the shot", "Disk"):
        assert heading in page
    assert (tmp_path / "length.png").stat().st_size > 1000

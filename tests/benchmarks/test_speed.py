"""The speed benchmark in small: every table is written, and counts are what the method promises. Times are never asserted."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from tests.tiny_model import save_tiny_model

import job_speed
import peak
import speed
from attention_speed import Case, Comparison
from i2vedit_core.settings import LoraSettings, MapStore, Settings
from job_speed import Cost, Task, run_here, two_edits
from speed_goals import NOT_HERE, ON_CUDA, Found, table_of_goals

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


def test_what_a_parent_held_is_not_its_childs_peak() -> None:
    held = np.ones(600 * 2**20, np.uint8)
    parent = peak.peak_bytes()
    del held
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(peak.peak_bytes).result() < parent - 200 * 2**20


@pytest.mark.slow
def test_a_second_edit_only_denoises(model: Path, tmp_path: Path) -> None:
    first, second = two_edits(_task(model, tmp_path))
    assert (first.evaluations, second.evaluations) == (STEPS + LORA_STEPS + 2 * STEPS, 2 * STEPS)
    assert {"invert", "train", "edit"} <= set(first.stage_seconds) and set(second.stage_seconds) == {"edit"}
    assert sum(first.chunk_seconds) == pytest.approx(first.seconds, rel=0.2)
    assert first.most_bytes > first.kept_bytes > 0, "the optimiser lies on disk only while the LoRA is trained"


def test_maps_on_disk_take_far_more_than_a_trajectory(model: Path, tmp_path: Path) -> None:
    replayed, stored = (run_here(_task(model, tmp_path / kind, kind)) for kind in (MapStore.REPLAY, MapStore.DISK))
    assert stored.kept_bytes > 10 * replayed.kept_bytes and stored.evaluations < replayed.evaluations


@pytest.mark.long
@pytest.mark.slow
def test_every_table_is_written(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """In this process: that a run can have one of its own is what two edits show."""
    for module in (job_speed, speed):
        monkeypatch.setattr(module, "measure", run_here)
    speed.main([*QUICK, "--model", str(model), "--out", str(tmp_path)])
    page = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert page in capsys.readouterr().out
    assert page.count(NOT_HERE) >= len(ON_CUDA)
    assert f"| evaluations of a second edit beyond the {3 * STEPS} of its denoising | ≤ 0 | 0 | yes |" in page
    for heading in ("Goals", "matching operator", "First and second edit", "Presets", "Length of the shot", "Disk"):
        assert heading in page
    assert (tmp_path / "length.png").stat().st_size > 1000


def _cost(seconds: float, chunk_seconds: tuple[float, ...], evaluations: int = 0, peak_bytes: int = 100) -> Cost:
    return Cost(seconds, {}, chunk_seconds, evaluations, peak_bytes, 0, 0)


def test_goals_are_reached_or_missed_by_what_was_measured() -> None:
    operator = [Comparison(Case(rows, 5), 1, 4.0, 1.0, ratio, 3100, 100, None) for rows, ratio in ((576, 9.0), (9216, 2.9))]
    pairs = [(_cost(10, (10,)), _cost(seconds, (seconds,), evaluations)) for seconds, evaluations in ((3, 50), (3.5, 50), (9, 51))]
    lengths = {14: _cost(1, (1,)), 27: _cost(2, (1, 1)), 53: _cost(4, (3, 1, 1.1, 1.2), peak_bytes=105)}
    rows = {line.split(" | ")[0].removeprefix("| "): line for line in table_of_goals(Found(operator, pairs, 50, lengths)).splitlines()}
    assert rows["operator, times faster than the textbook form, N = 9216"].endswith("| 2.9 | **no** |"), "at the largest size"
    assert rows["operator, times smaller than the textbook form in peak memory, N = 9216"].endswith("| 31 | yes |")
    assert rows["second edit ÷ first, time"].endswith("| 0.35 | yes |"), "the median"
    assert rows["evaluations of a second edit beyond the 50 of its denoising"].endswith("| 1 | **no** |")
    assert rows["time of a chunk, largest ÷ smallest from chunk 1 on, 53 frames"].endswith("| 1.20 | **no** |")
    assert rows["peak memory, 53 frames ÷ 27 frames (flat)"].endswith("| 1.05 | yes |")
    assert sum(NOT_HERE in line for line in rows.values()) == len(ON_CUDA) + 1, "nor was bfloat16"

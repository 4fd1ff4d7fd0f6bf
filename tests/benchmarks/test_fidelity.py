"""The whole benchmark in small: one shot, tiny random weights, every method; what it writes, and that it goes on where it was."""

import json
import math
from pathlib import Path

import pytest
from PIL import Image
from tests.tiny_model import save_tiny_model

import fidelity
from i2vedit_core.settings import LoraSettings, Settings
from i2vedit_core.synthetic import EDITS, Split
from long_shot import LongTask, choose, long_goals, measure_long, run
from methods import FLOORS, METHODS
from shots import CHUNK, LEAST_PAINTED, choose_long_shots, choose_shots

QUICK = ("--shots", "1", "--chunked", "0", "--steps", "3", "--lora-steps", "1", "--jobs", "1")


def test_shots_take_turns_with_the_edits_and_splits_never_meet() -> None:
    shots = choose_shots(Split.EVALUATION, len(EDITS) + 2)
    assert [shot.edit for shot in shots] == [*EDITS, *list(EDITS)[:2]]
    assert len({shot.number for shot in shots}) == len(shots)
    assert all(shot.truth().region[0].mean() >= LEAST_PAINTED for shot in shots)
    assert not {repr(shot.scenes()) for shot in shots} & {repr(shot.scenes()) for shot in choose_shots(Split.VERIFICATION, len(shots))}


def test_long_shots_have_whole_chunks_and_keep_what_is_edited_in_the_picture() -> None:
    (shot,) = choose_long_shots(Split.EVALUATION, 4, 1)
    assert shot.frames == 4 * (CHUNK - 1) + 1
    assert shot.truth().region[-1].any()


@pytest.mark.slow
def test_the_benchmark_writes_its_page_and_measures_nothing_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_tiny_model(tmp_path / "tiny", frames=CHUNK)
    options = [*QUICK, "--model", str(tmp_path / "tiny"), "--out", str(tmp_path / "page"), "--work", str(tmp_path / "work")]
    fidelity.main(options)
    assert "evaluation-0000" in capsys.readouterr().out
    fidelity.main(options)
    assert "evaluation-0000" not in capsys.readouterr().out, "the second call measured again"
    (result,) = (json.loads(path.read_text(encoding="utf-8")) for path in (tmp_path / "work").rglob("results/*.json"))
    assert set(METHODS) <= set(result["methods"])
    assert result["methods"]["truth"]["psnr_inside"] == 99 and result["methods"]["full"]["error_outside_matte"] == 0
    page = (tmp_path / "page" / "README.md").read_text(encoding="utf-8")
    assert all(f"| {method.replace('_', ' ')} |" in page for method in (*METHODS, *FLOORS))
    assert Image.open(tmp_path / "page" / "evaluation.png").width > 400


@pytest.mark.slow
def test_a_long_shot_goes_through_the_whole_product_and_is_measured_once(tmp_path: Path) -> None:
    save_tiny_model(tmp_path / "tiny", frames=CHUNK)
    settings = Settings(model=str(tmp_path / "tiny"), steps=3, lora=LoraSettings(steps=0))
    task = LongTask(choose(Split.TRAINING, 28), settings, 1, tmp_path)
    result = measure_long(task)
    written = (tmp_path / "long-28.json").stat().st_mtime_ns
    assert measure_long(task) == result and (tmp_path / "long-28.json").stat().st_mtime_ns == written
    figures = result["figures"]
    assert all(math.isfinite(value) for value in figures.values()), figures
    assert figures["memory_ratio"] > 0 and figures["drift_outside"] < 1, "outside the matte the plate is delivered"
    page = run(task, tmp_path / "page" / "long.md", "python benchmarks/fidelity.py --long").read_text(encoding="utf-8")
    assert all(goal.text in page for goal in long_goals(result)) and "| 28 frames |" in page

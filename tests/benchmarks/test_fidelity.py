"""The whole benchmark in small: one shot, tiny random weights, every method; what it writes, and that it goes on where it was."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from tests.tiny_model import save_tiny_model

from i2vedit_core.synthetic import EDITS, Split
from methods import FLOORS, METHODS
from shots import CHUNK, LEAST_PAINTED, choose_long_shots, choose_shots

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "fidelity.py"
QUICK = ("--shots", "1", "--long", "0", "--steps", "3", "--lora-steps", "1", "--jobs", "1")


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
def test_the_benchmark_writes_its_page_and_measures_nothing_twice(tmp_path: Path) -> None:
    save_tiny_model(tmp_path / "tiny", frames=CHUNK)
    command = [sys.executable, str(BENCHMARK), *QUICK, "--model", str(tmp_path / "tiny"), "--out", str(tmp_path / "page")]
    for _ in range(2):
        done = subprocess.run([*command, "--work", str(tmp_path / "work")], capture_output=True, text=True, check=False, timeout=250)
        assert done.returncode == 0, done.stderr
    assert "evaluation-0000" not in done.stdout, "the second call measured again"
    (result,) = (json.loads(path.read_text(encoding="utf-8")) for path in (tmp_path / "work").rglob("results/*.json"))
    assert set(METHODS) <= set(result["methods"])
    assert result["methods"]["truth"]["psnr_inside"] == 99 and result["methods"]["full"]["error_outside_matte"] == 0
    page = (tmp_path / "page" / "README.md").read_text(encoding="utf-8")
    assert all(f"| {method.replace('_', ' ')} |" in page for method in (*METHODS, *FLOORS))
    assert Image.open(tmp_path / "page" / "evaluation.png").width > 400

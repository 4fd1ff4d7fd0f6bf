"""The benchmark of saves in small. Times are never asserted."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.tiny_model import save_tiny_model

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "saves.py"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_save_is_a_job_and_the_page_says_how_soon(tmp_path: Path) -> None:
    model = tmp_path / "model"
    save_tiny_model(model)
    words = ["--sizes", "96x64", "--saves", "2", "--model", str(model), "--out", str(tmp_path)]
    done = subprocess.run([sys.executable, str(BENCHMARK), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (row,) = (line.split("|") for line in (tmp_path / "saves.md").read_text(encoding="utf-8").splitlines() if line.startswith("| 96x64"))
    assert all(float(cell) > 0 for cell in row[2:5])

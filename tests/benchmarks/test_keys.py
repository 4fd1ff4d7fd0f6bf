"""The benchmark of painted frames in small: figures that tell, and the whole way with tiny weights."""

import math
from pathlib import Path

import numpy as np
import pytest
from tests.tiny_model import save_tiny_model

import fidelity
import keys
from drawn_job import Result
from i2vedit_core.synthetic import Split
from shots import CHUNK, choose_long_shots


def test_figures_tell_where_a_delivery_is_good() -> None:
    (shot,) = choose_long_shots(Split.EVALUATION, 2, 1)
    truth = shot.truth()
    mixed = truth.edited.copy()
    mixed[14:] += 0.1
    whole, half = (keys.figures(truth, (13,), Result(clip, truth.region.astype(np.float32))) for clip in (truth.edited, mixed))
    assert whole.inside == whole.far == 99
    assert half.far == pytest.approx(20, abs=0.1) and half.inside > half.far
    assert half.seam > whole.seam
    assert math.isnan(keys.figures(truth, (0,), Result(truth.edited, truth.region.astype(np.float32))).seam)


@pytest.mark.slow
def test_it_delivers_every_choice(tmp_path: Path) -> None:
    save_tiny_model(tmp_path / "tiny", frames=CHUNK)
    options = ["--keys", "--shots", "1", "--chunks", "2", "--steps", "3", "--lora-steps", "1", "--model", str(tmp_path / "tiny")]
    fidelity.main([*options, "--out", str(tmp_path / "page")])
    page = (tmp_path / "page" / "keys.md").read_text(encoding="utf-8")
    assert all(f"| {choice} |" in page for choice in keys.choices(27))

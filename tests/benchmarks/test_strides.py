"""The benchmark of strides in small: figures that tell, and the whole way with tiny weights."""

import math
from pathlib import Path

import numpy as np
import pytest
from tests.tiny_model import save_tiny_model

import fidelity
import strides
from drawn_job import Result
from i2vedit_core.synthetic import Split
from shots import CHUNK, choose_long_shots


def test_figures_tell_what_was_not_seen_and_what_was_touched() -> None:
    (shot,) = choose_long_shots(Split.EVALUATION, 2, 1)
    truth = shot.truth()
    plate, matte = np.rint(truth.source * 65535) / np.float32(65535), truth.region.astype(np.float32)
    clip = np.where(truth.region[..., None], truth.edited, plate)
    whole = strides.figures(truth, 1, Result(clip, matte), 0.0)
    assert (whole.inside, whole.outside) == (99, 0) and math.isnan(whole.between)
    clip[[frame for frame in range(len(clip)) if frame % 4]] += 0.1
    strided = strides.figures(truth, 4, Result(clip, matte), 0.0)
    assert strided.between == pytest.approx(20, abs=0.1) and strided.inside > strided.between
    assert strided.outside == pytest.approx(6553.5, abs=1)


@pytest.mark.slow
def test_it_delivers_with_a_stride_and_without(tmp_path: Path) -> None:
    save_tiny_model(tmp_path / "tiny", frames=CHUNK)
    options = ["--stride", "4", "--shots", "1", "--chunks", "2", "--steps", "3", "--lora-steps", "1", "--model", str(tmp_path / "tiny")]
    fidelity.main([*options, "--out", str(tmp_path / "page")])
    page = (tmp_path / "page" / "stride.md").read_text(encoding="utf-8")
    assert "| recolor | 1 |" in page and "| recolor | 4 |" in page
    assert "| largest error outside the matte (code values of 16 bits) | ≤ 0 | 0.00 | yes |" in page

"""The benchmark of the inside in small: every figure and the page, with a made-up model."""

import math
from dataclasses import asdict

import numpy as np
import pytest
from tests.core.delivery.pictures import drawn, weak_answer

from i2vedit_core.synthetic import Split
from shots import choose_shots_of
from source_size import DELIVERED, EDITS, ENLARGED, TRUTH, WAYS, Figures, figures, main, page


def test_figures_tell_a_good_delivery_from_a_weak_model() -> None:
    (shot,) = choose_shots_of(Split.EVALUATION, ["recolor"])
    truth, fit = drawn("recolor", 2, 4)
    found = figures(shot, truth, fit, weak_answer(truth, fit))
    assert set(found.psnr) == set(WAYS) and all(math.isfinite(value) for value in found.psnr.values())
    assert found.psnr[DELIVERED] > found.psnr[ENLARGED]
    assert 0.9 < found.recall <= 1 and 1 <= found.area < 2 and 0.5 < found.kept < 1.5 and found.flicker >= 0
    assert all(np.isreal(value) for value in asdict(found)["psnr"].values())


def test_the_page_says_whether_the_goal_is_reached() -> None:
    def made_up(edit: str, delivered: float) -> Figures:
        return Figures("shot", edit, {**dict.fromkeys(WAYS, 20.0), DELIVERED: delivered, TRUTH: 30.0}, 0.99, 1.2, 0.01, 0.9)

    text = page([made_up("recolor", 24.0), made_up("look", 22.0)], "python benchmarks/source_size.py")
    assert "| recolor | ≥ 3 | 4.0 | yes |" in text and "| look | ≥ 3 | 2.0 | **no** |" in text


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.model
def test_it_runs_on_the_bundled_model(tmp_path) -> None:
    main(["--shots", "1", "--out", str(tmp_path / "page.md")])
    assert f"| {EDITS[0]} |" in (tmp_path / "page.md").read_text(encoding="utf-8")

"""The demo: what it does wrong calmly, and the whole way for real."""

from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from i2vedit_core.synthetic.demo import FRAMES, SIZE, demo_scene, painted_scene
from i2vedit_core.synthetic.render import render

DEMO_SECONDS = 900
"""The preview takes two minutes on two idle cores; the cores of a test machine may be busy."""


def assert_the_edit_follows(delivered: Path) -> None:
    """In each half of the shot the ball is nearer to its painted colours than the plate is, and the plate is left alone around it."""
    plates, truths = (render(scene, SIZE, SIZE, range(1, FRAMES)) for scene in (demo_scene(), painted_scene()))
    for half in (range(1, 14), range(14, FRAMES)):
        before, after, kept = [], [], []
        for frame in half:
            pixels = oiio.ImageBuf(str(delivered / f"{delivered.name}.{frame:04}.exr")).get_pixels(oiio.FLOAT)
            assert pixels is not None
            plate, truth, result = plates[frame - 1], truths[frame - 1], pixels[..., :3]
            ball = np.abs(truth - plate).max(axis=-1) > 0.1
            before.append(np.abs(plate - truth)[ball].mean())
            after.append(np.abs(result - truth)[ball].mean())
            kept.append((pixels[..., 4] == 0)[~ball].mean())
        assert np.mean(after) < 0.8 * np.mean(before)
        assert np.mean(kept) > 0.5


def test_a_folder_that_cannot_be_made_is_one_sentence(i2vedit, tmp_path):
    file = tmp_path / "file"
    file.touch()
    outcome = i2vedit("demo", "--out", file, "--json")
    assert (outcome.code, outcome.last["reason"]) == (2, "OUTPUT_NOT_WRITABLE")
    assert len(outcome.err.strip().splitlines()) == 1 and "--out" in outcome.err


def test_somebodys_own_files_are_not_overwritten(i2vedit, tmp_path):
    (tmp_path / "shot.mp4").write_text("mine")
    outcome = i2vedit("demo", "--out", tmp_path, "--json")
    assert (outcome.code, outcome.last["reason"]) == (2, "OUTPUT_NOT_WRITABLE")
    assert (tmp_path / "shot.mp4").read_text() == "mine" and "shot.mp4" in outcome.err


@pytest.mark.model
@pytest.mark.slow
@pytest.mark.timeout(DEMO_SECONDS + 30)
def test_the_whole_way_on_the_bundled_shot(i2vedit, tmp_path, monkeypatch):
    """As a preview, which trains no LoRA: training behind the server is what `tests/server/test_real_method.py` looks at."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    out = tmp_path / "a demo"
    outcome = i2vedit("demo", "--out", out, "--preset", "preview", "--json", seconds=DEMO_SECONDS)
    assert outcome.code == 0, outcome.err
    assert outcome.last["event"] == "succeeded"
    delivered = Path(outcome.last["directory"])
    assert delivered.parent == out
    assert len(list(delivered.glob("*.exr"))) == outcome.last["frames"] == outcome.last["delivered"]
    stages = {event["stage"] for event in outcome.events if event["event"] == "progress"}
    assert {"invert", "edit"} <= stages
    assert max(event["chunks"] for event in outcome.events if event["event"] == "progress") >= 2
    for name in ("shot.mp4", "edited.png", "preview.mp4", "contact_sheet.png"):
        assert (out / name).stat().st_size > 0
    assert_the_edit_follows(Path(outcome.last["directory"]))
    assert not i2vedit.data.exists(), "the demo leaves the user's own server alone"
    assert not list(tmp_path.glob("i2vedit-demo-*")), "its own is gone"

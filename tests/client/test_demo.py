"""The demo: what it does wrong calmly, and the whole way for real."""

from pathlib import Path

import pytest

DEMO_SECONDS = 900
"""Five minutes are promised on two idle cores; the cores of a test machine may be busy."""


def test_a_folder_that_cannot_be_made_is_one_sentence(i2vedit, tmp_path):
    file = tmp_path / "file"
    file.touch()
    outcome = i2vedit("demo", "--out", file, "--json")
    assert (outcome.code, outcome.last["reason"]) == (2, "OUTPUT_NOT_WRITABLE")
    assert len(outcome.err.strip().splitlines()) == 1 and "--out" in outcome.err


@pytest.mark.model
@pytest.mark.slow
@pytest.mark.timeout(DEMO_SECONDS + 30)
def test_the_whole_way_on_the_bundled_shot(i2vedit, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    out = tmp_path / "a demo"
    outcome = i2vedit("demo", "--out", out, "--json", seconds=DEMO_SECONDS)
    assert outcome.code == 0, outcome.err
    assert outcome.last["event"] == "succeeded"
    delivered = Path(outcome.last["directory"])
    assert delivered.parent == out
    assert len(list(delivered.glob("*.exr"))) == outcome.last["frames"] == outcome.last["delivered"]
    stages = {event["stage"] for event in outcome.events if event["event"] == "progress"}
    assert {"invert", "train", "edit"} <= stages
    assert max(event["chunks"] for event in outcome.events if event["event"] == "progress") >= 2
    for name in ("shot.mp4", "edited.png", "preview.mp4", "contact_sheet.png"):
        assert (out / name).stat().st_size > 0
    assert not i2vedit.data.exists(), "the demo leaves the user's own server alone"
    assert not list(tmp_path.glob("i2vedit-demo-*")), "its own is gone"

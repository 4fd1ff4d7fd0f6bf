"""Training the mini model: whatever moment it is killed at, it goes on to the same weights."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import train_mini

STEPS = 2


@pytest.fixture(autouse=True)
def _few_shots_saved_at_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_mini, "SIZES", {(64, 64): 2, (80, 48): 1, (48, 80): 1})
    done = train_mini.Run.done

    def done_and_saved(run: train_mini.Run, loss: float) -> None:
        done(run, loss)
        run.save()

    monkeypatch.setattr(train_mini.Run, "done", done_and_saved)


def _train(work: Path, steps: int = STEPS) -> dict[str, torch.Tensor]:
    counts = [f"--{phase}={steps}" for phase in ("autoencoder", "decoder", "unet")]
    train_mini.main([f"--work={work}", f"--export={work / 'export'}", f"--plot={work / 'losses.png'}", *counts])
    return {
        f"{file.parent.name}.{name}": weight
        for file in (work / "export").rglob("*.safetensors")
        for name, weight in load_file(file).items()
    }


class Killed(Exception):
    pass


@pytest.mark.slow
def test_a_training_that_was_killed_in_each_phase_ends_with_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _train(tmp_path / "whole")
    kill_at, done = {"autoencoder", "decoder_2", "unet"}, train_mini.Run.done

    def done_or_killed(run: train_mini.Run, loss: float) -> None:
        done(run, loss)
        if run.path.stem in kill_at:
            kill_at.remove(run.path.stem)
            raise Killed

    monkeypatch.setattr(train_mini.Run, "done", done_or_killed)
    for _ in range(3):
        with pytest.raises(Killed):
            _train(tmp_path / "parts")
    parts = _train(tmp_path / "parts")
    assert parts.keys() == whole.keys() and all(torch.equal(parts[name], whole[name]) for name in whole)
    assert (tmp_path / "parts" / "losses.png").stat().st_size > 0
    assert not list((tmp_path / "parts").glob("*.partial*"))

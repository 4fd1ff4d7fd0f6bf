"""Training the mini model: whatever moment it is killed at, it goes on to the same weights."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKLTemporalDecoder, UNetSpatioTemporalConditionModel
from safetensors.torch import load_file
from torch import nn

import mini_model
import train_mini
from i2vedit_core.models import find_model

STEPS = 2


@pytest.fixture(autouse=True)
def _few_shots_saved_at_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_mini, "SIZES", {(64, 64): 2, (80, 48): 1, (48, 80): 1})
    monkeypatch.setattr(train_mini, "new_autoencoder", _small_autoencoder)
    monkeypatch.setattr(train_mini, "new_unet", _small_unet)
    done = train_mini.Run.done

    def done_and_saved(run: train_mini.Run, loss: float) -> None:
        done(run, loss)
        run.save()

    monkeypatch.setattr(train_mini.Run, "done", done_and_saved)


def _small_autoencoder() -> AutoencoderKLTemporalDecoder:
    return AutoencoderKLTemporalDecoder(
        down_block_types=("DownEncoderBlock2D",) * 3,
        block_out_channels=(32,) * 3,
        layers_per_block=1,
        latent_channels=mini_model.LATENT_CHANNELS,
    )


def _small_unet() -> UNetSpatioTemporalConditionModel:
    return UNetSpatioTemporalConditionModel(
        in_channels=2 * mini_model.LATENT_CHANNELS,
        out_channels=mini_model.LATENT_CHANNELS,
        down_block_types=("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
        up_block_types=("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"),
        block_out_channels=(32, 64),
        addition_time_embed_dim=32,
        projection_class_embeddings_input_dim=96,
        layers_per_block=1,
        cross_attention_dim=mini_model.CONTEXT,
        num_attention_heads=(1, 2),
        num_frames=mini_model.FRAMES,
    )


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
    (tmp_path / "parts").mkdir()
    for shots in (tmp_path / "whole").glob("shots_*.npy"):  # drawing knows no state that could be lost
        shutil.copy(shots, tmp_path / "parts")
    for _ in range(3):
        with pytest.raises(Killed):
            _train(tmp_path / "parts")
    parts = _train(tmp_path / "parts")
    assert parts.keys() == whole.keys() and all(torch.equal(parts[name], whole[name]) for name in whole)
    assert (tmp_path / "parts" / "losses.png").stat().st_size > 0
    assert not list((tmp_path / "parts").glob("*.partial*"))


@pytest.mark.parametrize(
    ("part", "make"),
    [("unet", mini_model.new_unet), ("vae", mini_model.new_autoencoder), ("image_encoder", mini_model.new_image_encoder)],
)
def test_what_would_be_trained_has_the_shapes_of_what_is_bundled(part: str, make: Callable[[], nn.Module]) -> None:
    bundled, fresh = load_file(find_model("mini").weights[part]), dict(make().named_parameters())
    assert {name: weight.shape for name, weight in bundled.items()} == {name: weight.shape for name, weight in fresh.items()}

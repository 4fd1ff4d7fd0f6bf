"""What each part of the method is, seen by leaving it out: on tensors, with a small UNet of random weights."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from i2vedit_core.artifacts import KEY_FILE, Artifacts
from i2vedit_core.backbone import Backbone
from i2vedit_core.method.chunks import plan_chunks
from i2vedit_core.method.edm import noise_grid
from i2vedit_core.method.preparation import Prepared, Workplace
from i2vedit_core.method.propagation import EditedChunk, Propagation, propagation_cost
from i2vedit_core.method.sarp import flat_areas
from i2vedit_core.method.source import Source
from i2vedit_core.method.source_maps import MapsAt, NoStore
from i2vedit_core.progress import CancelToken, Reporter
from i2vedit_core.settings import LoraSettings, Part, Preset, Settings

QUICK = Settings(steps=3, guidance=(1.0, 1.0), lora=LoraSettings(steps=1, rank=2, learning_rate=5e-2))
PLAIN = (Part.INVERSION, Part.SPATIAL, Part.TEMPORAL, Part.LORA)
"""Leaving these out leaves nothing of the source: plain image-to-video."""
NOTHING = MapsAt(NoStore(), lambda level: {})
ONE, TWO = 4, 7
"""Frames of a shot of one chunk, and of two."""


def _shot(seed: int, frames: int) -> Tensor:
    small = torch.rand(frames, 3, 4, 4, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    return torch.nn.functional.interpolate(small, (16, 16), mode="bilinear")


def _painted(first: Tensor) -> Tensor:
    """[1, 3, H, W]: the frame with a light block on it."""
    painted = first.clone()
    painted[..., 4:10, 4:10] = 0.8
    return painted


def _propagation(backbone: Backbone, settings: Settings, shot: Tensor, folder: Path) -> Propagation:
    return Propagation(
        backbone,
        settings,
        plan_chunks(len(shot), backbone.chunk_frames),
        lambda chunk: shot[chunk.start : chunk.stop],
        Workplace(Artifacts(folder)),
    )


def _run(backbone: Backbone, settings: Settings, shot: Tensor, folder: Path, painted: Tensor | None = None) -> list[EditedChunk]:
    return list(_propagation(backbone, settings, shot, folder).run(_painted(shot[:1]) if painted is None else painted))


def _without(*parts: Part) -> Settings:
    return replace(QUICK, without=parts)


@pytest.fixture(scope="module")
def full_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the whole method has worked."""
    return tmp_path_factory.mktemp("full")


@pytest.fixture(scope="module")
def full(tiny_backbone: Backbone, full_folder: Path) -> EditedChunk:
    """One chunk by the whole method."""
    (edited,) = _run(tiny_backbone, QUICK, _shot(1, ONE), full_folder)
    return edited


def test_plain_image_to_video_knows_nothing_of_the_source(tiny_backbone: Backbone, tmp_path: Path) -> None:
    """Bit for bit, over two chunks: what later chunks look back at is the edit of chunk 0, and the noise is drawn from seed and chunk."""
    painted, settings = _painted(_shot(1, 1)), _without(*PLAIN)
    first, second = (_run(tiny_backbone, settings, _shot(seed, TWO), tmp_path / str(seed), painted) for seed in (1, 2))
    assert len(first) == 2
    for one, other in zip(first, second, strict=True):
        assert torch.equal(one.pixels, other.pixels) and not torch.equal(one.source, other.source)
        assert not one.edit_map.any()


@pytest.mark.parametrize("part", PLAIN)
def test_each_of_the_parts_brings_something_of_the_source(part: Part, tiny_backbone: Backbone, tmp_path: Path) -> None:
    """With the others left out."""
    painted, settings = _painted(_shot(1, 1)), _without(*(other for other in PLAIN if other is not part))
    ((first,), (second,)) = (_run(tiny_backbone, settings, _shot(seed, ONE), tmp_path / str(seed), painted) for seed in (1, 2))
    assert (first.pixels - second.pixels).abs().max() > 1e-5


@pytest.mark.parametrize("part", [Part.SPATIAL, Part.TEMPORAL, Part.LORA, Part.INVERSION])
def test_without_a_part_the_edit_is_another_and_still_has_its_map(
    part: Part, tiny_backbone: Backbone, full: EditedChunk, tmp_path: Path
) -> None:
    (edited,) = _run(tiny_backbone, _without(part), _shot(1, ONE), tmp_path)
    assert (edited.pixels - full.pixels).abs().max() > 1e-5
    assert torch.equal(edited.source, full.source)
    assert edited.edit_map.shape == full.edit_map.shape == (ONE, 16, 16)
    assert 0.01 < float(edited.edit_map.max()) <= 1 and not bool((edited.edit_map < 0).any())


def test_without_inversion_an_edit_starts_from_seeded_noise(tiny_backbone: Backbone, source: Source, tmp_path: Path) -> None:
    """Of the deviation that latents have at sigma_0, another for each chunk and each seed; with it, from the top of the trajectory."""
    trajectory = torch.randn(QUICK.steps + 1, *source.z_0.shape[1:])

    def start(settings: Settings, chunk: int) -> Tensor:
        propagation = _propagation(tiny_backbone, settings, _shot(1, TWO), tmp_path)
        return propagation.starting_noise(Prepared(propagation.chunks[chunk], source, trajectory, NOTHING))

    noise, again, later, other = (
        start(replace(_without(Part.INVERSION), seed=seed), chunk) for seed, chunk in ((0, 0), (0, 0), (0, 1), (1, 0))
    )
    assert torch.equal(noise, again) and not torch.equal(noise, later) and not torch.equal(noise, other)
    assert torch.equal(start(QUICK, 0), trajectory[:1])
    expected = float((noise_grid(tiny_backbone, QUICK.steps)[0] ** 2 + 1).sqrt())
    for each in (noise, later, other):
        assert each.shape == source.z_0.shape and each.dtype == torch.float32
        assert abs(float(each.std()) / expected - 1) < 0.05 and abs(float(each.mean())) / expected < 0.05


@pytest.mark.parametrize("flat", [True, False])
def test_sarp_matters_where_areas_are_flat_and_nowhere_else(flat: bool, tiny_backbone: Backbone, tmp_path: Path) -> None:
    shot = _shot(1, ONE) + torch.linspace(0, 0.1, 16)  # enlarging leaves the corners flat
    if flat:
        shot[..., 8:] = 0.2
    assert bool(flat_areas(shot).any()) == flat
    settings = _without(Part.LORA), _without(Part.LORA, Part.SARP)
    propagations = [_propagation(tiny_backbone, each, shot, tmp_path / str(len(each.without))) for each in settings]
    with_sarp, without = (each.preparation.prepare(each.chunks[0]) for each in propagations)
    assert torch.equal(with_sarp.trajectory, without.trajectory) != flat
    assert torch.equal(with_sarp.source.z_0, without.source.z_0)  # what is trained on and compared with is the source itself
    assert torch.equal(without.trajectory[-1][None], without.source.z_0)


def _same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def _trajectory(folder: Path, chunk: int) -> Tensor:
    return load_file(_artifact(folder, "inversion", chunk) / "trajectory.safetensors")["trajectory"]


def _lora(folder: Path, chunk: int) -> dict[str, Tensor]:
    return load_file(_artifact(folder, "lora", chunk) / "lora_000001.safetensors")


def _artifact(folder: Path, kind: str, chunk: int) -> Path:
    (found,) = (path for path in folder.glob(f"{kind}-*") if json.loads((path / KEY_FILE).read_text())["chunk"] == chunk)
    return found


def test_without_skip_interval_a_later_chunk_is_made_as_if_it_were_alone(tiny_backbone: Backbone, tmp_path: Path) -> None:
    shot = _shot(1, TWO)
    whole = _run(tiny_backbone, QUICK, shot, tmp_path / "whole")
    parted = _run(tiny_backbone, _without(Part.SKIP_INTERVAL), shot, tmp_path / "parted")
    alone = _propagation(tiny_backbone, _without(Part.SKIP_INTERVAL), shot, tmp_path / "alone").preparation
    prepared = alone.prepare(alone.chunks[1])
    looked_back, did_not = (_trajectory(tmp_path / name, 1) for name in ("whole", "parted"))
    assert torch.equal(did_not, prepared.trajectory) and not torch.allclose(looked_back, prepared.trajectory, rtol=1e-4)
    assert torch.equal(whole[0].pixels, parted[0].pixels)
    assert (whole[1].pixels - parted[1].pixels).abs().max() > 1e-5
    assert _same(*(_lora(tmp_path / name, 1) for name in ("parted", "alone")))
    assert not _same(*(_lora(tmp_path / name, 1) for name in ("parted", "whole")))


def test_without_the_lora_nothing_is_trained(tiny_backbone: Backbone, full: EditedChunk, full_folder: Path, tmp_path: Path) -> None:
    _run(tiny_backbone, _without(Part.LORA), _shot(1, ONE), tmp_path)
    kept = [{path.name for path in folder.rglob("*.safetensors")} for folder in (full_folder, tmp_path)]
    assert kept == [{"lora_000001.safetensors", "trajectory.safetensors"}, {"trajectory.safetensors"}]


def test_parts_left_out_are_not_waited_for(tiny_backbone: Backbone, tmp_path: Path) -> None:
    """The estimate of the time left ends at nothing."""
    seen: list[float | None] = []
    shot = _shot(1, TWO)
    settings = _without(Part.LORA, Part.SKIP_INTERVAL, Part.SPATIAL, Part.TEMPORAL)
    report = Reporter(lambda event: seen.append(getattr(event, "seconds_left", None)), CancelToken())
    chunks = plan_chunks(TWO, tiny_backbone.chunk_frames)
    report.expect(len(chunks), len(chunks) * propagation_cost(tiny_backbone, settings))
    propagation = Propagation(
        tiny_backbone,
        settings,
        chunks,
        lambda chunk: shot[chunk.start : chunk.stop],
        Workplace(Artifacts(tmp_path), report),
    )
    list(propagation.run(_painted(shot[:1])))
    assert seen[-1] == pytest.approx(0, abs=1e-6) and max(left or 0 for left in seen) > 0


@pytest.mark.parametrize("preset", [Preset.FULL, Preset.PREVIEW])
def test_locked_to_an_untouched_frame_the_edit_is_the_source(
    preset: Preset, tiny_backbone: Backbone, full: EditedChunk, tmp_path: Path
) -> None:
    """Over two chunks, whatever the model would have made of it; the frame that is handed over is locked, too."""
    shot = _shot(1, TWO)
    for locked in _run(tiny_backbone, replace(_without(Part.LORA), preset=preset, lock=True), shot, tmp_path, shot[:1]):
        torch.testing.assert_close(locked.pixels, locked.source, atol=1e-4, rtol=0)
    assert (full.pixels - full.source).abs().max() > 0.05


def test_locked_to_a_painted_frame_the_edit_is_neither_the_source_nor_the_free_one(
    tiny_backbone: Backbone, full: EditedChunk, tmp_path: Path
) -> None:
    (locked,) = _run(tiny_backbone, replace(QUICK, lock=True), _shot(1, ONE), tmp_path)
    apart, free = (each.pixels - each.source for each in (locked, full))
    assert apart.abs().max() > 0.01 and apart.abs().mean() < free.abs().mean()
    assert not torch.equal(locked.pixels, full.pixels)

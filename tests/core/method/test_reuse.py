"""METHOD section 8: what depends on the source alone is made once. Counted by a hook on the network."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from i2vedit_core.artifacts import Artifacts
from i2vedit_core.backbone import Backbone
from i2vedit_core.method.chunks import plan_chunks
from i2vedit_core.method.preparation import Workplace
from i2vedit_core.method.propagation import Propagation
from i2vedit_core.method.source_maps import OpenStore, open_store, replay_only
from i2vedit_core.settings import LoraSettings, MapStore, Part, Preset, Settings

STEPS, LORA_STEPS = 4, 3
SETTINGS = Settings(steps=STEPS, guidance=(1.0, 1.0), lora=LoraSettings(steps=LORA_STEPS, rank=2))
ONE, TWO = 4, 7
"""Frames of a shot of one chunk, and of two."""


@contextmanager
def _counted(backbone: Backbone) -> Iterator[Callable[[], int]]:
    """Evaluations of the network inside the block."""
    count = 0

    def add(*_: object) -> None:
        nonlocal count
        count += 1

    handle = backbone.unet.register_forward_hook(add)
    try:
        yield lambda: count
    finally:
        handle.remove()


def _edit(
    backbone: Backbone, settings: Settings, frames: int, folder: Path, paint: float, stores: OpenStore = replay_only
) -> tuple[Tensor, int]:
    """The edited pixels, and how many evaluations they took."""
    small = torch.rand(frames, 3, 4, 4, generator=torch.Generator().manual_seed(1)) * 2 - 1
    shot = torch.nn.functional.interpolate(small, (16, 16), mode="bilinear")
    painted = shot[:1].clone()
    painted[..., 4:10, 4:10] = paint
    workplace = Workplace(Artifacts(folder), open_store=stores)
    propagation = Propagation(
        backbone, settings, plan_chunks(frames, backbone.chunk_frames), lambda chunk: shot[chunk.start : chunk.stop], workplace
    )
    with _counted(backbone) as evaluations:
        chunks = list(propagation.run(painted))
    return torch.cat([chunk.pixels for chunk in chunks]), evaluations()


@pytest.mark.parametrize(("frames", "chunks"), [(ONE, 1), (TWO, 2)])
def test_the_second_edit_of_a_shot_neither_inverts_nor_trains(frames: int, chunks: int, tiny_backbone: Backbone, tmp_path: Path) -> None:
    _, first = _edit(tiny_backbone, SETTINGS, frames, tmp_path / "shared", 0.8)
    second_pixels, second = _edit(tiny_backbone, SETTINGS, frames, tmp_path / "shared", -0.5)
    assert first == chunks * (STEPS + LORA_STEPS + 2 * STEPS), "inversion, training, and at each step the replayed source and the edit"
    assert second == chunks * 2 * STEPS
    alone, _ = _edit(tiny_backbone, SETTINGS, frames, tmp_path / "alone", -0.5)
    assert torch.equal(second_pixels, alone)


@pytest.mark.parametrize("kind", [MapStore.RAM, MapStore.DISK])
def test_stored_maps_spare_the_replay(kind: MapStore, tiny_backbone: Backbone, tmp_path: Path) -> None:
    """But for the topmost level, which inversion never evaluates."""
    _, first = _edit(tiny_backbone, SETTINGS, ONE, tmp_path, 0.8, open_store(kind))
    assert first == STEPS + LORA_STEPS + 1 + STEPS
    _, second = _edit(tiny_backbone, SETTINGS, ONE, tmp_path, -0.5, open_store(kind))
    assert second == (2 * STEPS if kind is MapStore.RAM else STEPS), "memory is gone with its chunk; files are not"


def test_the_full_run_takes_up_the_inversion_of_the_preview(tiny_backbone: Backbone, tmp_path: Path) -> None:
    _, preview = _edit(tiny_backbone, replace(SETTINGS, preset=Preset.PREVIEW), TWO, tmp_path / "shared", 0.8)
    assert preview == 2 * (STEPS + 2 * STEPS // 2), "every second level, no LoRA"
    pixels, full = _edit(tiny_backbone, SETTINGS, TWO, tmp_path / "shared", 0.8)
    bottom = 1
    assert full == 2 * (LORA_STEPS + 2 * STEPS) + bottom, "training the second chunk looks back at the level below the sampler's, too"
    alone, _ = _edit(tiny_backbone, SETTINGS, TWO, tmp_path / "alone", 0.8)
    assert torch.equal(pixels, alone)


def test_guidance_costs_a_third_evaluation_a_step(tiny_backbone: Backbone, tmp_path: Path) -> None:
    _, evaluations = _edit(tiny_backbone, replace(SETTINGS, guidance=(1.0, 2.0)), ONE, tmp_path, 0.8)
    assert evaluations == STEPS + LORA_STEPS + 3 * STEPS


@pytest.mark.parametrize(
    "other",
    [
        replace(SETTINGS, seed=1),
        replace(SETTINGS, steps=STEPS + 1),
        replace(SETTINGS, lora=LoraSettings(steps=LORA_STEPS, rank=3)),
        replace(SETTINGS, lora=LoraSettings(steps=LORA_STEPS + 1, rank=2)),
    ],
)
def test_what_would_come_out_otherwise_is_made_again(other: Settings, tiny_backbone: Backbone, tmp_path: Path) -> None:
    _edit(tiny_backbone, SETTINGS, ONE, tmp_path / "shared", 0.8)
    pixels, _ = _edit(tiny_backbone, other, ONE, tmp_path / "shared", 0.8)
    alone, _ = _edit(tiny_backbone, other, ONE, tmp_path / "alone", 0.8)
    assert torch.equal(pixels, alone)


def test_leaving_out_a_part_of_the_edit_leaves_the_preparation(tiny_backbone: Backbone, tmp_path: Path) -> None:
    _edit(tiny_backbone, SETTINGS, ONE, tmp_path, 0.8)
    _, evaluations = _edit(tiny_backbone, replace(SETTINGS, without=(Part.SPATIAL,)), ONE, tmp_path, 0.8)
    assert evaluations == 2 * STEPS

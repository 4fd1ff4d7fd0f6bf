"""Chunks made apart from each other, in any order and in parts, are those of one preparation, bit for bit."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from i2vedit_core.apart import ChunkMaker, Part, is_prepared, look_up, pack, recipe_for, unpack
from i2vedit_core.artifacts import Artifacts
from i2vedit_core.backbone import Backbone
from i2vedit_core.errors import BridgeError, Reason
from i2vedit_core.method.chunks import Chunk, plan_chunks
from i2vedit_core.method.preparation import Preparation, Workplace
from i2vedit_core.pictures import to_pixels
from i2vedit_core.plan.choice import Request
from i2vedit_core.progress import CancelToken, Event, Progress, Reporter, Stage, ignore
from i2vedit_core.settings import LoraSettings, Settings
from i2vedit_core.tensor_files import load_tensors

SIDE, FRAMES = 32, 10
"""Three chunks."""


def preparation(backbone: Backbone, folder: Path) -> Preparation:
    settings = Settings(model=str(backbone.folder.path), steps=3, lora=LoraSettings(steps=2, rank=2))
    pictures = torch.rand(FRAMES, SIDE, SIDE, 3, generator=torch.Generator().manual_seed(3)).numpy()

    def read(chunk: Chunk) -> torch.Tensor:
        return to_pixels(pictures[chunk.start : chunk.stop])

    return Preparation(backbone, settings, plan_chunks(FRAMES, backbone.chunk_frames), read, Workplace(Artifacts(folder)))


def values(folder: Path) -> dict[str, Mapping[str, torch.Tensor]]:
    return {str(file.relative_to(folder)): load_tensors(file) for file in sorted(folder.rglob("*.safetensors"))}


def test_parts_made_in_any_order_are_what_one_preparation_makes(tiny_backbone: Backbone, tmp_path: Path) -> None:
    preparation(tiny_backbone, tmp_path / "whole").run()
    asking = preparation(tiny_backbone, tmp_path / "apart")
    recipe = recipe_for(asking, Request(SIDE, SIDE, steps=3))
    found = {chunk.index: look_up(asking, chunk) for chunk in asking.chunks}
    makers = [ChunkMaker(recipe) for _ in range(2)]
    events: list[Event] = []
    parts = [(0, 0, Part.LORA), (1, 0, Part.TRAJECTORY), (0, 2, Part.WHOLE), (1, 1, Part.WHOLE)]
    assert not is_prepared(asking)
    for maker, index, part in parts:
        report = Reporter(events.append, CancelToken())
        makers[maker].make(recipe, index, {each: found[each].packed for each in (0, index)}, report, part)
    assert is_prepared(asking)
    whole, apart = values(tmp_path / "whole"), values(tmp_path / "apart")
    assert whole.keys() == apart.keys() and len(whole) == 6
    assert all(torch.equal(whole[file][name], apart[file][name]) for file in whole for name in whole[file])
    told = [event for event in events if isinstance(event, Progress)]
    assert {event.chunk for event in told if event.stage is Stage.TRAIN} == {0, 1, 2}


def test_pixels_keep_their_order_in_memory() -> None:
    pixels = to_pixels(torch.rand(2, 4, 5, 3).numpy())
    came = unpack(pack(pixels))
    assert torch.equal(came, pixels) and came.stride() == pixels.stride() and came.data_ptr() != pixels.data_ptr()


def test_another_model_under_the_name_is_refused(tiny_backbone: Backbone, tmp_path: Path) -> None:
    recipe = recipe_for(preparation(tiny_backbone, tmp_path), Request(SIDE, SIDE))
    with pytest.raises(BridgeError) as caught:
        ChunkMaker(replace(recipe, model_sha256="another"))
    assert caught.value.reason is Reason.VERSION_MISMATCH


def test_a_chunk_that_is_to_stop_keeps_its_steps(tiny_backbone: Backbone, tmp_path: Path) -> None:
    asking = preparation(tiny_backbone, tmp_path)
    recipe, found, token = recipe_for(asking, Request(SIDE, SIDE, steps=3)), look_up(asking, asking.chunks[0]), CancelToken()
    maker = ChunkMaker(recipe)

    def stop(event: object) -> None:
        if isinstance(event, Progress) and event.stage is Stage.INVERT:
            token.cancel()

    with pytest.raises(BridgeError) as caught:
        maker.make(recipe, 0, {0: found.packed}, Reporter(stop, token))
    assert caught.value.reason is Reason.CANCELLED
    assert list(tmp_path.glob("inversion-*/begun.safetensors"))
    maker.make(recipe, 0, {0: found.packed}, Reporter(ignore, CancelToken()))
    assert look_up(asking, asking.chunks[0]).has(Part.WHOLE)

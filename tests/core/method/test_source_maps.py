"""METHOD section 6, *Store or replay*: three ways to the same bits."""

from pathlib import Path

import pytest
import torch

from i2vedit_core.artifacts import Artifacts
from i2vedit_core.backbone import Backbone
from i2vedit_core.method.attention import attention_layers
from i2vedit_core.method.attention.passes import SourceMaps
from i2vedit_core.method.chunks import plan_chunks
from i2vedit_core.method.preparation import Workplace
from i2vedit_core.method.propagation import EditedChunk, Propagation
from i2vedit_core.method.source import Source, invert_source, replay
from i2vedit_core.method.source_maps import DiskStore, MapsAt, MemoryStore, open_store
from i2vedit_core.settings import LoraSettings, MapStore, Settings

QUICK = Settings(steps=3, guidance=(1.0, 1.0), lora=LoraSettings(steps=1, rank=2))


def _same(first: SourceMaps, second: SourceMaps) -> bool:
    return first.keys() == second.keys() and all(
        torch.equal(one, other) for path in first for one, other in zip(first[path], second[path], strict=True)
    )


@pytest.mark.parametrize("kind", [MapStore.RAM, MapStore.DISK])
def test_what_is_stored_on_the_way_up_is_what_a_replay_sees(
    kind: MapStore, tiny_backbone: Backbone, source: Source, tmp_path: Path
) -> None:
    store = open_store(kind)(tmp_path)
    trajectory = invert_source(tiny_backbone, source, source.z_0, lambda step: None, store.keep)
    replayed: list[int] = []

    def look(level: int) -> SourceMaps:
        replayed.append(level)
        return replay(tiny_backbone, source, trajectory, level)

    maps = MapsAt(store, look)
    for level in (0, 2, 5, 5):
        found = maps.at(level)
        assert found.keys() == {layer.path for layer in attention_layers(tiny_backbone.unet)}
        assert _same(found, replay(tiny_backbone, source, trajectory, level))
    assert replayed == [0], "inversion does not evaluate the topmost level; all others are in the store"
    store.close()


def test_what_is_on_disk_is_found_by_another_process(tmp_path: Path) -> None:
    maps = {"some.layer": (torch.randn(2, 1, 3, 4), torch.randn(2, 1, 5, 4))}
    first = DiskStore(tmp_path)
    first.keep(1, maps)
    first.close()
    second = DiskStore(tmp_path)
    assert second.find(0) is None
    found = second.find(1)
    assert found is not None and _same(found, maps)
    second.close()


def test_memory_is_given_back(tmp_path: Path) -> None:
    store = MemoryStore()
    store.keep(0, {"some.layer": (torch.zeros(1), torch.zeros(1))})
    store.close()
    assert store.find(0) is None


def test_the_edit_is_bit_for_bit_the_same_by_all_three_ways(tiny_backbone: Backbone, tmp_path: Path) -> None:
    """Over two chunks, the second of which looks back at the first."""
    small = torch.rand(7, 3, 4, 4, generator=torch.Generator().manual_seed(1)) * 2 - 1
    shot = torch.nn.functional.interpolate(small, (16, 16), mode="bilinear")
    painted = shot[:1].clone()
    painted[..., 4:10, 4:10] = 0.8

    def edit(kind: MapStore) -> list[EditedChunk]:
        workplace = Workplace(Artifacts(tmp_path / kind), open_store=open_store(kind))
        propagation = Propagation(
            tiny_backbone,
            QUICK,
            plan_chunks(len(shot), tiny_backbone.chunk_frames),
            lambda chunk: shot[chunk.start : chunk.stop],
            workplace,
        )
        return list(propagation.run(painted))

    replayed, *others = (edit(kind) for kind in (MapStore.REPLAY, MapStore.RAM, MapStore.DISK))
    for other in [*others, edit(MapStore.DISK)]:
        for one, another in zip(replayed, other, strict=True):
            assert torch.equal(one.pixels, another.pixels) and torch.equal(one.edit_map, another.edit_map)

"""The full-size benchmark in small: that it runs, that its rival is the same mathematics, and that it counts right. Never a time."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

import full_size
from by_count import SVD, SVD_XT, ChunkDisk, chunk_disk, disk_of
from full_size_page import NOT_MEASURED, Compiled, Results, tables
from i2vedit_core.backbone import Backbone
from i2vedit_core.method.attention import Kind, attention_layers, matched_attention
from i2vedit_core.method.attention.edit_map import EditMap
from i2vedit_core.method.attention.passes import AttentionPass, Matching, PassProcessor
from i2vedit_core.method.motion_lora import MotionLora
from i2vedit_core.settings import LoraSettings
from published_way import Match, Published, matching_by, textbook_match
from svd_architecture import build

CPU = torch.device("cpu")
FRAMES, SIDE = full_size.SMALL_SIZE.frames, 8


@pytest.fixture(scope="module")
def small() -> Results:
    return full_size.measure(full_size.small_scale(CPU), CPU, compiling=False)[0]


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return build(CPU, torch.float32, full_size.SMALL_SIZE)


def section(page: str, title: str) -> str:
    return page.split(f"## {title}\n")[1].split("\n## ")[0]


@pytest.mark.slow
def test_a_small_run_fills_every_table(
    small: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(full_size, "measure", lambda *_: (small, []))
    full_size.main(["--small", "--device", "cpu", "--out", str(tmp_path / "new" / "page.md")])
    page = (tmp_path / "new" / "page.md").read_text(encoding="utf-8")
    assert page in capsys.readouterr().out and full_size.SMALL in page
    assert [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")] == list(tables(Results()))
    for title in ("The stages of one chunk", "One chunk", "The matching operator"):
        assert NOT_MEASURED not in section(page, title)
    assert section(page, "Goals").count(NOT_MEASURED) == 8, "a small run says nothing of the goals"
    assert small.published and small.published.map_bytes > 0 and small.ours and small.ours.map_bytes == 0


@pytest.mark.slow
def test_measured_figures_stand_beside_the_goals(small: Results) -> None:
    found = tables(replace(small, full_size=True, compiled=Compiled(2.0, 1.5, 60.0)))
    assert found["Goals"].count(NOT_MEASURED) == 3, "what the CPU cannot show: flash attention, and two peaks"
    assert NOT_MEASURED not in found["Disk"] + found["torch.compile"]


def test_without_a_device_the_page_has_what_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    full_size.main(["--out", str(tmp_path / "page.md")])
    page = capsys.readouterr().out
    assert full_size.NO_DEVICE in page
    assert section(page, "Goals").count(NOT_MEASURED) == 8
    assert "| 73.3 |" in section(page, "Disk") and "| 24 | 1024×576 |" in page


@pytest.mark.slow
def test_what_lies_on_disk_is_what_is_counted(small: Results, backbone: Backbone) -> None:
    lora_bytes = sum(weight.nbytes for weight in MotionLora(backbone.unet, LoraSettings()).weights.values())
    counted, found = chunk_disk(3, (FRAMES, 4, 8, 16), lora_bytes), small.chunks[0].chunk
    for files, tensors in ((found.kept_bytes, counted.kept_bytes), (found.most_bytes, counted.training_bytes)):
        assert tensors < files < 1.05 * tensors


def test_disk_of_a_chunk_at_full_size() -> None:
    assert disk_of(SVD) == ChunkDisk(26 * 14 * 4 * 72 * 128 * 4, 19_668_992)
    assert disk_of(SVD).kept_bytes <= 100e6 and disk_of(SVD).most_bytes <= 180e6
    assert disk_of(SVD_XT).kept_bytes <= 130e6


def test_one_matched_layer_is_the_same_by_both_forms(backbone: Backbone) -> None:
    layer = next(each for each in attention_layers(backbone.unet) if each.kind is Kind.SPATIAL and each.downscale == 1)
    attention = backbone.unet.get_submodule(layer.path)
    generator = torch.Generator().manual_seed(0)
    edit, source = (20 * torch.randn(FRAMES, SIDE**2, attention.to_q.in_features, generator=generator) for _ in range(2))
    maps: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
    PassProcessor(layer, AttentionPass(record=maps))(attention, torch.lerp(source, edit, torch.linspace(0, 1, SIDE**2)[:, None]))

    def by(match: Match) -> tuple[torch.Tensor, torch.Tensor]:
        edit_map = EditMap(FRAMES, SIDE, SIDE)
        matching = Matching(maps, torch.linspace(0.2, 0.5, FRAMES), 0.0, (0.0, 0.0), edit_map)
        with matching_by(match):
            out = PassProcessor(layer, AttentionPass(matching=matching))(attention, edit)
        return out, edit_map.mean()

    (out, edit_map), (rival, rival_map) = by(matched_attention), by(textbook_match)
    torch.testing.assert_close(rival, out, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(rival_map, edit_map, atol=1e-5, rtol=0)
    assert edit_map.min() < 0.2 and edit_map.max() > 0.5


def test_the_rival_reads_back_what_it_wrote_one_level_off(tmp_path: Path) -> None:
    published, maps = Published(tmp_path, CPU), {"a.layer": (torch.rand(2, 1, 4, 8), torch.rand(2, 1, 4, 8))}
    published.keep(2, maps)
    found = published.at(1, lambda level: {})
    assert found.keys() == maps.keys() and all(map(torch.equal, found["a.layer"], maps["a.layer"]))
    assert published.map_bytes() == next(tmp_path.iterdir()).stat().st_size

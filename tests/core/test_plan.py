"""The memory plan: what it counts is what is there, and what it chooses fits."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKLTemporalDecoder, UNetSpatioTemporalConditionModel
from tests.tiny_model import save_tiny_model

from by_count import FULL, GIB, SVD, card, counts_of, svd_plan
from i2vedit_core.backbone import checkpointed_gradients
from i2vedit_core.method.motion_lora import MotionLora
from i2vedit_core.models import BUNDLED
from i2vedit_core.plan import (
    Architecture,
    Memory,
    MemoryPlan,
    MemoryStage,
    Options,
    Request,
    choose,
    largest_size,
    sentence,
    step_down,
    to_dict,
)
from i2vedit_core.plan.counting import META, Chunk, count
from i2vedit_core.plan.counts import known_counts
from i2vedit_core.plan.live import LiveBytes
from i2vedit_core.plan.memory import host_memory, memory_of
from i2vedit_core.plan.options import slices
from i2vedit_core.settings import LoraSettings, MapStore

MINI = Architecture.of_folder(BUNDLED / "mini")
CPU = torch.device("cpu")


# What is counted


def test_live_bytes_are_those_of_living_tensors():
    kept = torch.zeros(5)
    with LiveBytes([kept]) as live:
        a = torch.zeros(1000)
        view, b = a[10:].view(-1, 1), a + 1
        kept.add_(1)
        assert (live.live, live.peak) == (8000, 8000)
        del a, b
        assert live.live == 4000  # the view holds all of what it looks at
        del view
        c = torch.zeros(500)
    assert (live.live, live.peak) == (2000, 8000)
    del c


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Architecture:
    folder = tmp_path_factory.mktemp("tiny")
    save_tiny_model(folder)
    return Architecture.of_folder(folder)


def unet_on(device: torch.device, architecture: Architecture) -> UNetSpatioTemporalConditionModel:
    with device:
        return UNetSpatioTemporalConditionModel(**dict(architecture.unet)).to(device).eval().requires_grad_(False)


def unet_peaks(device: torch.device, architecture: Architecture) -> dict[str, int]:
    unet, chunk = unet_on(device, architecture), Chunk(architecture, device)
    with device:
        lora = MotionLora(unet, LoraSettings(rank=4))
    peaks = {"maps": chunk.maps(unet), "invert": chunk.invert(unet), "edit": chunk.edit(unet, lora), "train": chunk.train(unet, lora)}
    with checkpointed_gradients(unet):
        return peaks | {"train_checkpointed": chunk.train(unet, lora)}


def test_the_unets_peaks_without_memory_are_those_of_a_real_run(tiny):
    counted = unet_peaks(META, tiny)
    assert counted == unet_peaks(CPU, tiny)
    assert counted["maps"] < counted["invert"] < counted["train_checkpointed"] < counted["train"]


def test_the_autoencoders_peaks_without_memory_are_those_of_a_real_run(tiny):
    def peaks(device: torch.device) -> tuple[int, int]:
        with device:
            vae = AutoencoderKLTemporalDecoder(**dict(tiny.vae)).to(device).eval().requires_grad_(False)
        chunk = Chunk(tiny, device)
        return chunk.encode(vae), chunk.decode_frame(vae)

    assert peaks(META) == peaks(CPU)


def test_peaks_grow_with_the_area_of_the_picture(tiny):
    unet = unet_on(META, tiny)
    small, large = (Chunk(tiny, META, side).invert(unet) for side in (16, 64))
    assert small == pytest.approx(large, rel=0.05)


def test_the_known_counts_are_what_counting_gives():
    """After a change that moves them: python -m i2vedit_core.plan.counting core/i2vedit_core/assets/mini"""
    known = known_counts(MINI, half=False)
    assert known is not None
    assert vars(count(MINI, half=False)) == pytest.approx(vars(known), rel=0.1)


@pytest.mark.slow
def test_svds_known_counts_are_what_counting_gives(monkeypatch):
    """All but its training, which takes as long as the rest twice over. One command writes the counts of all models, and the mini
    model's show whether its training was counted by this code."""
    monkeypatch.setattr(Chunk, "train", lambda *_: 0)
    counted, known = vars(count(SVD, half=True)), vars(counts_of(SVD))
    names = known.keys() - {"train", "train_checkpointed"}
    assert {name: counted[name] for name in names} == pytest.approx({name: known[name] for name in names}, rel=0.1)


def test_another_architecture_is_not_taken_for_a_known_one(tiny):
    assert known_counts(tiny, half=True) is None
    assert Architecture.of({"num_frames": 25}, {}, {}) != SVD
    assert known_counts(Architecture.of({"num_frames": 25}, {}, {}), half=True) is not None


# What is chosen


@pytest.mark.parametrize(
    ("gib", "fits", "options"),
    [
        (48, True, Options(checkpointing=True, offload=False, decode_frames=14)),
        (24, True, Options(checkpointing=True, offload=True, decode_frames=7)),
        (16, True, Options(checkpointing=True, offload=True, decode_frames=5)),
        (12, False, Options(checkpointing=True, offload=True, decode_frames=1)),
        (8, False, Options(checkpointing=True, offload=True, decode_frames=1)),
    ],
)
def test_classes_of_cards_at_svds_full_size(gib, fits, options):
    plan = svd_plan(card(gib))
    assert (plan.fits, plan.options) == (fits, options)
    assert plan.fits == all(peak <= plan.memory.free_bytes for peak in plan.peak_bytes.values())


def test_smaller_cards_get_a_size_that_fits():
    for gib in (8, 12):
        plan = svd_plan(card(gib))
        size = largest_size(plan, plan.memory.free_bytes)
        assert size is not None and size[0] % SVD.size_multiple == size[1] % SVD.size_multiple == 0
        assert f"{size[0]}x{size[1]} would fit" in sentence(plan)
        assert svd_plan(card(gib), Request(*size)).fits
        assert to_dict(plan)["fitting_width"] == size[0]


def test_more_memory_never_costs_more():
    """Fidelity first, then time, then what costs seconds: what a larger card gets is never behind what a smaller one had."""
    plans = [svd_plan(card(gib / 4)) for gib in range(48, 400)]
    ranks = [(plan.options.decode_frames, not plan.options.checkpointing, not plan.options.offload) for plan in plans if plan.fits]
    assert ranks == sorted(ranks) and len(set(ranks)) > 4
    assert [plan.fits for plan in plans] == sorted(plan.fits for plan in plans)


def test_a_short_shot_needs_less_than_a_whole_chunk():
    whole, short = svd_plan(card(12)), svd_plan(card(12), replace(FULL, frames=3))
    assert not whole.fits and short.fits
    assert short.peak_bytes[MemoryStage.ENCODE] == whole.peak_bytes[MemoryStage.ENCODE], "frame by frame"
    assert to_dict(short)["frames"] == 3
    same = svd_plan(card(24), replace(FULL, frames=SVD.frames))
    assert same.peak_bytes == svd_plan(card(24)).peak_bytes


def test_a_preview_does_not_need_what_training_needs():
    assert MemoryStage.TRAIN not in svd_plan(card(12), replace(FULL, trains=False)).peak_bytes
    assert svd_plan(card(12), replace(FULL, trains=False)).fits


def test_maps_wait_in_host_memory_only_where_there_is_plenty():
    needed = svd_plan(card(24)).maps_bytes
    assert needed == pytest.approx(75e9, rel=0.05)  # as METHOD section 6 has it
    assert svd_plan(card(24, host_gib=128)).options.maps is MapStore.REPLAY
    assert svd_plan(card(24, host_gib=160)).options.maps is MapStore.RAM
    assert svd_plan(card(24), replace(FULL, maps=MapStore.DISK)).options.maps is MapStore.DISK


def test_models_are_not_offloaded_to_a_host_without_room():
    assert not svd_plan(card(24, host_gib=4)).options.offload


def test_on_the_cpu_the_mini_model_takes_no_detours():
    counts = known_counts(MINI, half=False)
    assert counts is not None
    plan = choose(MINI, counts, Memory(4 * GIB, 8 * GIB, 4 * GIB, on_cuda=False), Request(64, 64))
    assert plan.fits and plan.options == Options(checkpointing=False, offload=False, decode_frames=14)


def test_stepping_down_gives_up_something_each_time_until_nothing_is_left():
    plan: MemoryPlan | None = svd_plan(card(80))
    seen = []
    while plan is not None:
        seen.append(plan)
        plan = step_down(plan)
    assert seen[1].options == Options(checkpointing=True, offload=True, decode_frames=7)
    assert [plan.options.decode_frames for plan in seen] == slices(14)
    highest = [plan.peak_bytes[plan.highest] for plan in seen]
    assert highest == sorted(highest, reverse=True)


@pytest.mark.parametrize("gib", [24, 48, 80])
@pytest.mark.parametrize("stepped", [False, True])
def test_after_an_out_of_memory_in_spite_of_the_plan_a_smaller_picture_is_named(gib, stepped):
    plan = svd_plan(card(gib))
    plan = (step_down(plan) or plan) if stepped else plan
    assert plan.fits and "had been predicted" in sentence(plan)
    named = re.search(r"(\d+)x(\d+) would fit", sentence(plan))
    assert named is not None
    width, height = int(named[1]), int(named[2])
    assert width < plan.request.width and height < plan.request.height and f"Give --size {width}x{height}" in sentence(plan)


def test_a_device_without_room_for_the_weights_is_told_so():
    plan = svd_plan(card(3))
    assert largest_size(plan, plan.memory.free_bytes) is None
    assert "smaller model" in sentence(plan)
    assert to_dict(plan)["fitting_width"] == 0


# What is measured


class StandInCuda:
    def mem_get_info(self, device: torch.device) -> tuple[int, int]:
        return 10 * GIB, 24 * GIB

    def memory_reserved(self, device: torch.device) -> int:
        return 6 * GIB


def test_what_this_process_holds_already_is_its_own_to_use():
    memory = memory_of(torch.device("cuda"), StandInCuda())
    assert (memory.free_bytes, memory.total_bytes, memory.on_cuda) == (16 * GIB, 24 * GIB, True)


def test_the_hosts_memory():
    free, total = host_memory()
    assert 0 < free <= total
    memory = memory_of(CPU, StandInCuda())
    assert not memory.on_cuda and memory.total_bytes == total


def test_the_light_half_of_the_plan_imports_no_torch():
    code = "import sys, i2vedit_core.plan, i2vedit_core.plan.memory; print('torch' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parent)
    assert answer.stdout.strip() == "False"

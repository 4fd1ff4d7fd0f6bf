"""The plan that the worker tells of a job."""

from pathlib import Path

import torch

from i2vedit_core.plan import MemoryStage
from i2vedit_core.settings import Preset, Settings
from i2vedit_core.shot import Shot
from i2vedit_server.runner import memory_plan
from svd_architecture import SMOKE, build


def test_a_job_has_a_plan_at_the_size_of_its_clip(clip: Path) -> None:
    shot, backbone = Shot.open(clip, 0, None), build("meta", torch.float16)
    plan = memory_plan(backbone, shot, Settings())
    assert plan is not None and set(plan.peak_bytes) == set(MemoryStage)
    width, height = plan.request.width, plan.request.height
    assert width % 64 == height % 64 == 0 and width > height and width * height <= backbone.architecture.pixel_budget
    preview = memory_plan(backbone, shot, Settings(preset=Preset.PREVIEW))
    assert preview is not None and MemoryStage.TRAIN not in preview.peak_bytes


def test_the_plan_is_of_the_picture_that_was_asked_for_and_of_the_shots_own_frames(clip: Path) -> None:
    backbone = build("meta", torch.float16)
    shot = Shot.open(clip, 0, None)
    whole, small = memory_plan(backbone, shot, Settings()), memory_plan(backbone, shot, Settings(picture_area=256 * 256))
    assert whole is not None and small is not None
    assert small.request.width * small.request.height <= 256 * 256 < whole.request.width * whole.request.height
    short = memory_plan(backbone, Shot.open(clip, 0, 1), Settings())
    assert short is not None and short.request.frames == 2


def test_a_model_that_nobody_has_counted_has_none(clip: Path) -> None:
    assert memory_plan(build("meta", torch.float16, SMOKE), Shot.open(clip, 0, None), Settings()) is None

"""Looking at an edit while it is denoised: what is shown, and that looking changes nothing."""

import io
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import OpenImageIO as oiio
import pytest
import torch
from PIL import Image
from tests.media import LOSSLESS, encode, numbered_frame

from i2vedit_core import DeliverySettings, Edit, Settings, Shot, propagate
from i2vedit_core import previews as previews_module
from i2vedit_core.backbone import Backbone
from i2vedit_core.legs import Leg
from i2vedit_core.media.fit import plan_fit
from i2vedit_core.media.still import export_frame
from i2vedit_core.method.chunks import plan_chunks
from i2vedit_core.method.latents import decode
from i2vedit_core.previews import EVERY, LONGEST_SIDE, SHARE, Previewer
from i2vedit_core.progress import CancelToken, Event, Preview, Reporter
from i2vedit_core.settings import LoraSettings

CHUNK = 4
QUICK = Settings(steps=2 * EVERY + 1, lora=LoraSettings(steps=1, rank=2), guidance=(1.0, 1.0))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encode(tmp_path_factory.mktemp("clip") / "shot.mkv", [numbered_frame(number) for number in range(9)], LOSSLESS)


def _watched() -> CancelToken:
    token = CancelToken()
    token.wants_previews = True
    return token


def _previewer(backbone: Backbone, told: list[Event], token: CancelToken | None = None, width: int = 32) -> Previewer:
    fit = plan_fit(2 * width, width, Fraction(1), width * width, 32)
    return Previewer(backbone, fit, Leg(100, 300, 300), Reporter(told.append, token or _watched()))


def _previews(told: list[Event]) -> list[Preview]:
    return [event for event in told if isinstance(event, Preview)]


def _clean(side: int = 16) -> torch.Tensor:
    return torch.randn(1, CHUNK, 4, side, side, generator=torch.Generator().manual_seed(1))


def test_who_looks_and_who_does_not_get_the_same_pixels(
    backbone: Backbone, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(previews_module, "SHARE", 1e9)  # every look that is due
    shot = Shot.open(clip, 2, 8)
    edited = tmp_path / "edited.png"
    painted = np.asarray(Image.open(export_frame(shot.clip, 2, tmp_path / "frame.png")).convert("RGB")).copy()
    painted[20:40, 20:40] = (255, 0, 128)
    Image.fromarray(painted).save(edited)
    folders, counts = [], []
    for token in (CancelToken(), _watched()):
        told: list[Event] = []
        delivery = DeliverySettings(tmp_path / "out")
        folders.append(propagate(shot, Edit.open(edited, shot), QUICK, backbone, delivery, on_event=told.append, token=token).frames)
        counts.append([(each.chunk, each.step, each.frame) for each in _previews(told)])
    looks = (EVERY - 1, 2 * EVERY - 1)
    assert counts == [[], [(chunk, step, 2 + 3 * chunk + index) for chunk in (0, 1) for step in looks for index in (0, 2, 3)]]
    for unwatched, watched in zip(*folders, strict=True):
        first, second = (_pixels(path) for path in (unwatched, watched))
        assert np.array_equal(first, second)


def _pixels(path: Path) -> np.ndarray:
    return np.asarray(oiio.ImageBuf(str(path)).get_pixels(oiio.FLOAT))


def test_a_preview_is_the_decoded_frame_without_its_padding(backbone: Backbone) -> None:
    told: list[Event] = []
    clean = _clean()
    _previewer(backbone, told)(plan_chunks(CHUNK, CHUNK)[0], EVERY - 1, clean)
    shown = [np.asarray(Image.open(io.BytesIO(each.jpeg)), np.float32) / 255 for each in _previews(told)]
    assert [each.frame for each in _previews(told)] == [100, 102, 103]
    for index, picture in zip((0, 2, 3), shown, strict=True):
        assert picture.shape == (16, 32, 3)
        wanted = (decode(backbone, clean[:, [index]], 1)[0].permute(1, 2, 0).numpy() + 1) / 2
        assert np.corrcoef(picture.ravel(), wanted[8:24].ravel())[0, 1] > 0.8  # as far as JPEG goes


def test_a_large_picture_is_shown_small(backbone: Backbone) -> None:
    told: list[Event] = []
    _previewer(backbone, told, width=544)(plan_chunks(CHUNK, CHUNK)[0], EVERY - 1, _clean(side=272))
    sizes = [Image.open(io.BytesIO(each.jpeg)).size for each in _previews(told)]
    assert len(sizes) == 3 and all(LONGEST_SIDE / 2 < max(size) <= LONGEST_SIDE for size in sizes)
    assert all(len(each.jpeg) < 2**17 for each in _previews(told))


def test_nobody_looks_more_often_than_it_may_cost(backbone: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 0.0, 1.0, 1.0, 40.0, 70.0, 70.0, 71.0, 71.0])
    monkeypatch.setattr(previews_module, "time", SimpleNamespace(monotonic=lambda: next(now)))
    assert SHARE == 0.02, "a look of one second is followed by fifty without"
    told: list[Event] = []
    look = _previewer(backbone, told)
    for step in (EVERY - 1, 2 * EVERY - 1, 3 * EVERY - 1):  # at 0, 40 and 70 s
        look(plan_chunks(CHUNK, CHUNK)[0], step, _clean())
    assert {each.step for each in _previews(told)} == {EVERY - 1, 3 * EVERY - 1}


def test_without_memory_to_spare_the_job_goes_on_unseen(backbone: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError

    told: list[Event] = []
    look = _previewer(backbone, told)
    with monkeypatch.context() as patched:
        patched.setattr(backbone.vae, "decode", full)
        look(plan_chunks(CHUNK, CHUNK)[0], EVERY - 1, _clean())
    look(plan_chunks(CHUNK, CHUNK)[0], 2 * EVERY - 1, _clean())
    assert told == []

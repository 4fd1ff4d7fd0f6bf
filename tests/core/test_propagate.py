"""The whole way of a shot with random tiny weights: what is delivered, what is kept, what is untouched."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from tests.media import LOSSLESS, encode, numbered_frame

from i2vedit_core import DeliverySettings, Edit, Settings, Shot, prepare, propagate
from i2vedit_core.backbone import Backbone
from i2vedit_core.delivery.report import REPORT_FILE
from i2vedit_core.delivery.ticket import Ticket
from i2vedit_core.errors import BridgeError, Reason
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.media.still import export_frame
from i2vedit_core.progress import ArtifactUsed, CancelToken, Event, FrameDelivered, PlanTaken, Progress, Stage
from i2vedit_core.settings import EditKind, LoraSettings

CHUNK = 4
QUICK = Settings(steps=3, lora=LoraSettings(steps=1, rank=2))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encode(tmp_path_factory.mktemp("clip") / "shot.mkv", [numbered_frame(number) for number in range(20)], LOSSLESS)


@pytest.fixture(scope="module")
def painted(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Frame 2 with a green block painted on it."""
    path = tmp_path_factory.mktemp("painted") / "edited.tif"
    exported = export_frame(Shot.open(clip).clip, 2, path.with_name("frame.tif"))
    picture = oiio.ImageBuf(str(exported))
    oiio.ImageBufAlgo.fill(picture, (0.1, 0.9, 0.2), oiio.ROI(30, 60, 36, 60))
    assert picture.write(str(path))
    return path


@dataclass(frozen=True)
class Frame:
    rgb: np.ndarray
    matte: np.ndarray


def _read(path: Path) -> Frame:
    pixels = oiio.ImageBuf(str(path)).get_pixels(oiio.FLOAT)
    assert pixels is not None
    return Frame(pixels[..., :3], pixels[..., 4])


@pytest.mark.parametrize("frames", [1, 2, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 1, 2 * CHUNK, 4 * CHUNK - 3])
def test_every_source_frame_is_delivered_once_under_its_own_number(
    frames: int, backbone: Backbone, clip: Path, painted: Path, tmp_path: Path
) -> None:
    shot = Shot.open(clip, 2, 2 + frames - 1)
    events: list[Event] = []
    result = propagate(shot, Edit.open(painted, shot), QUICK, backbone, DeliverySettings(tmp_path), on_event=events.append)
    expected = [f"shot_v001.{number:04}.exr" for number in range(2, 2 + frames)]
    assert sorted(path.name for path in result.folder.glob("*.exr")) == expected
    assert [path.name for path in result.frames] == expected
    assert [event.frame for event in events if isinstance(event, FrameDelivered)] == list(range(2, 2 + frames))


def test_outside_the_matte_is_the_plate_and_the_painted_frame_is_as_painted(
    backbone: Backbone, clip: Path, painted: Path, tmp_path: Path
) -> None:
    shot = Shot.open(clip, 2, 8)
    result = propagate(shot, Edit.open(painted, shot), QUICK, backbone, DeliverySettings(tmp_path))
    plates = list(decode_frames(shot.clip, 2, 8))
    for path, plate in zip(result.frames, plates, strict=True):
        frame = _read(path)
        outside = frame.matte == 0
        assert np.array_equal(frame.rgb[outside], plate[outside].astype(np.float16).astype(np.float32))
        assert ((frame.matte == 0) | (frame.matte >= 1 / 64)).all()
    first, wanted = _read(result.frames[0]), oiio.ImageBuf(str(painted)).get_pixels(oiio.FLOAT)
    assert np.abs(first.rgb - wanted).max() <= 2**-11 + 2 / 65535  # half floats near 1
    assert first.matte[40:56, 35:55].min() == 1


@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_an_untouched_frame_gives_the_plate_and_an_empty_matte(suffix: str, backbone: Backbone, clip: Path, tmp_path: Path) -> None:
    shot = Shot.open(clip, 3, 8)
    untouched = export_frame(shot.clip, 3, tmp_path / f"untouched{suffix}")
    result = propagate(shot, Edit.open(untouched, shot), QUICK, backbone, DeliverySettings(tmp_path / "out"))
    for path, plate in zip(result.frames, decode_frames(shot.clip, 3, 8), strict=True):
        frame = _read(path)
        assert not frame.matte.any()
        assert np.array_equal(frame.rgb, plate.astype(np.float16).astype(np.float32))


def test_the_same_job_gives_the_same_pixels_and_an_interrupted_one_too(
    backbone: Backbone, clip: Path, painted: Path, tmp_path: Path
) -> None:
    shot = Shot.open(clip, 2, 7)
    edit, settings = Edit.open(painted, shot), Settings(steps=3, lora=LoraSettings(steps=4, rank=2, checkpoint_every=2))
    whole = propagate(shot, edit, settings, backbone, DeliverySettings(tmp_path / "whole"))
    token, work = CancelToken(), tmp_path / "work"

    def stop_in_the_second_training(event: Event) -> None:
        if isinstance(event, Progress) and (event.stage, event.chunk, event.step) == (Stage.TRAIN, 1, 0):
            token.cancel()

    delivery = DeliverySettings(tmp_path / "parts")
    with pytest.raises(BridgeError) as stopped:
        propagate(shot, edit, settings, backbone, delivery, work, on_event=stop_in_the_second_training, token=token)
    assert stopped.value.reason is Reason.CANCELLED
    seen: list[Progress] = []

    def watch(event: Event) -> None:
        if isinstance(event, Progress):
            seen.append(event)

    parts = propagate(shot, edit, settings, backbone, delivery, work, on_event=watch)
    assert parts.folder.name == "shot_v001"
    assert not [event for event in seen if event.stage is Stage.TRAIN and event.chunk == 0]
    assert [event.step for event in seen if event.stage is Stage.TRAIN] == [2, 3]
    for first, second in zip(whole.frames, parts.frames, strict=True):
        assert np.array_equal(_read(first).rgb, _read(second).rgb) and np.array_equal(_read(first).matte, _read(second).matte)
    assert (whole.folder / REPORT_FILE).read_bytes() == (parts.folder / REPORT_FILE).read_bytes()


def test_another_seed_gives_other_pixels_and_another_version(backbone: Backbone, clip: Path, painted: Path, tmp_path: Path) -> None:
    shot = Shot.open(clip, 2, 5)
    edit = Edit.open(painted, shot)
    first = propagate(shot, edit, QUICK, backbone, DeliverySettings(tmp_path))
    second = propagate(shot, edit, Settings(steps=3, lora=QUICK.lora, seed=1, edit=EditKind.SHAPE), backbone, DeliverySettings(tmp_path))
    assert (first.folder.name, second.folder.name) == ("shot_v001", "shot_v002")
    assert any(not np.array_equal(_read(a).rgb, _read(b).rgb) for a, b in zip(first.frames, second.frames, strict=True))


def test_progress_counts_every_stage_to_its_end(backbone: Backbone, clip: Path, painted: Path, tmp_path: Path) -> None:
    shot = Shot.open(clip, 2, 6)
    events: list[Progress] = []
    propagate(
        shot,
        Edit.open(painted, shot),
        QUICK,
        backbone,
        DeliverySettings(tmp_path),
        on_event=lambda event: events.append(event) if isinstance(event, Progress) else None,
    )
    for chunk in (0, 1):
        stages = [event.stage for event in events if event.chunk == chunk]
        assert {Stage.DECODE, Stage.INVERT, Stage.TRAIN, Stage.EDIT, Stage.DELIVER} == set(stages)
    assert all(event.chunks == 2 for event in events if event.stage is not Stage.DECODE)
    assert all(0 <= event.step < event.of for event in events)
    assert all(event.loss is not None for event in events if event.stage is Stage.TRAIN)
    assert events[-1].seconds_left == pytest.approx(0, abs=1e-6)


def test_it_keeps_little_on_disk(backbone: Backbone, clip: Path, painted: Path, tmp_path: Path) -> None:
    shot = Shot.open(clip, 2, 5)
    work = tmp_path / "work"
    propagate(shot, Edit.open(painted, shot), QUICK, backbone, DeliverySettings(tmp_path / "out"), work)
    kept = sorted(path.name for path in work.rglob("*") if path.is_file())
    names = ("identity.txt", "key.json", "lora_000001.safetensors", "trajectory.safetensors", "version.txt")
    assert kept == sorted([*names, *["key.json"] * 3, "cuts.json", "edited.safetensors"])


def test_what_another_edit_left_in_the_work_folder_is_not_taken_for_this_ones(
    backbone: Backbone, clip: Path, painted: Path, tmp_path: Path
) -> None:
    shot, work = Shot.open(clip, 2, 5), tmp_path / "work"
    first = propagate(shot, Edit.open(painted, shot), QUICK, backbone, DeliverySettings(tmp_path / "out"), work)
    again = propagate(shot, Edit.open(painted, shot), QUICK, backbone, DeliverySettings(tmp_path / "out"), work)
    assert again.folder == first.folder
    other = tmp_path / "other.tif"
    picture = oiio.ImageBuf(str(painted))
    oiio.ImageBufAlgo.fill(picture, (0.9, 0.1, 0.1), oiio.ROI(10, 30, 10, 30))
    assert picture.write(str(other))
    second = propagate(shot, Edit.open(other, shot), QUICK, backbone, DeliverySettings(tmp_path / "out"), work)
    assert second.folder.name == "shot_v002"
    assert Ticket.load(first.folder).edit_sha256 != Ticket.load(second.folder).edit_sha256


def test_what_was_prepared_is_neither_traced_nor_trained_again(backbone: Backbone, clip: Path, painted: Path, tmp_path: Path) -> None:
    """And a preparation that was stopped keeps what it has."""
    shot, token, seen = Shot.open(clip, 2, 7), CancelToken(), list[Event]()

    def stop_in_the_second_training(event: Event) -> None:
        if isinstance(event, Progress) and (event.stage, event.chunk) == (Stage.TRAIN, 1):
            token.cancel()

    two_steps = Settings(steps=3, lora=LoraSettings(steps=2, rank=2))
    with pytest.raises(BridgeError) as stopped:
        prepare(shot, two_steps, backbone, tmp_path / "shared", stop_in_the_second_training, token)
    assert stopped.value.reason is Reason.CANCELLED
    prepare(shot, two_steps, backbone, tmp_path / "shared", seen.append)
    assert not [event for event in seen if isinstance(event, Progress) and (event.stage, event.chunk) == (Stage.TRAIN, 0)]
    used = {event.name for event in seen if isinstance(event, ArtifactUsed)}
    assert used == {folder.name for folder in (tmp_path / "shared").iterdir()} and len(used) == 5
    assert isinstance(seen[1], PlanTaken), "cuts are known already"

    events: list[Event] = []
    edit, delivery = Edit.open(painted, shot), DeliverySettings(tmp_path / "out")
    result = propagate(shot, edit, two_steps, backbone, delivery, artifacts=tmp_path / "shared", on_event=events.append)
    stages = {event.stage for event in events if isinstance(event, Progress)}
    assert stages == {Stage.DECODE, Stage.EDIT, Stage.DELIVER}
    alone = propagate(shot, edit, two_steps, backbone, DeliverySettings(tmp_path / "alone"))
    for first, second in zip(result.frames, alone.frames, strict=True):
        assert np.array_equal(_read(first).rgb, _read(second).rgb)

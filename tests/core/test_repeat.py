"""A ticket is enough to make the same pixels again."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
import pytest
from tests.core.delivery.delivered import rewrite
from tests.media import LOSSLESS, encode, numbered_frame

from i2vedit_core import DeliverySettings, Edit, Settings, Shot, propagate
from i2vedit_core.backbone import Backbone
from i2vedit_core.delivery.compare import compare, differing_facts
from i2vedit_core.delivery.finding import Comparison, Finding, Kind, Verdict
from i2vedit_core.delivery.ticket import Ticket
from i2vedit_core.delivery.verify import verify
from i2vedit_core.errors import BridgeError, Reason
from i2vedit_core.media.still import export_frame
from i2vedit_core.provenance import issue_ticket
from i2vedit_core.repeat import check_material, delivery_of, settings_of
from i2vedit_core.settings import Alpha, Depth, EditKind, LoraSettings, Part, Preset

UNUSUAL = Settings(
    steps=5,
    seed=7,
    edit=EditKind.SHAPE,
    lora=LoraSettings(steps=2, rank=3, dropout=0.2),
    sarp_alpha=0.01,
    attention_threshold=(0.2, 0.5),
    guidance=(1.1, 1.7),
    reference_frames=1,
    decode_frames=3,
    without=(Part.SARP,),
)


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Shot:
    path = encode(tmp_path_factory.mktemp("clip") / "shot.mkv", [numbered_frame(number) for number in range(8)], LOSSLESS)
    return Shot.open(path, 1, 6)


@pytest.fixture(scope="module")
def edit(shot: Shot, tmp_path_factory: pytest.TempPathFactory) -> Edit:
    path = tmp_path_factory.mktemp("painted") / "edited.tif"
    picture = oiio.ImageBuf(str(export_frame(shot.clip, 1, path.with_name("frame.tif"))))
    oiio.ImageBufAlgo.fill(picture, (0.1, 0.9, 0.2), oiio.ROI(30, 60, 36, 60))
    assert picture.write(str(path))
    return Edit.open(path, shot)


def ends(folder: Path, other: Path) -> tuple[list[Finding], Comparison]:
    *events, last = compare(folder, other)
    assert isinstance(last, Comparison)
    return [event for event in events if isinstance(event, Finding)], last


def test_a_ticket_gives_the_same_pixels_again_and_another_seed_does_not(backbone: Backbone, shot: Shot, edit: Edit, tmp_path: Path) -> None:
    """Two chunks, with settings that are not the defaults."""
    delivery = DeliverySettings(tmp_path, depth=Depth.FLOAT)
    first = propagate(shot, edit, UNUSUAL, backbone, delivery)
    *_, verdict = verify(first.folder, shot.clip.path, [edit.image])
    assert isinstance(verdict, Verdict) and (verdict.faults, verdict.unchecked) == (0, 0)

    ticket = Ticket.load(first.folder)
    again = propagate(shot, edit, settings_of(ticket), backbone, delivery_of(ticket, tmp_path / "again"))
    assert ends(first.folder, again.folder) == ([], Comparison(6, 0, 6 * 96 * 64, 0, 0.0))
    assert Ticket.load(again.folder).identity() == ticket.identity()

    other = propagate(shot, edit, replace(settings_of(ticket), seed=8), backbone, delivery_of(ticket, tmp_path / "other"))
    findings, comparison = ends(first.folder, other.folder)
    assert comparison.differing_frames > 0 and comparison.largest_difference > 0
    notes = [finding.sentence for finding in findings if finding.kind is Kind.NOTE]
    assert any("settings.seed was 7, and is 8 now" in note for note in notes), notes


@pytest.mark.parametrize("preset", list(Preset))
@pytest.mark.parametrize("steps", [None, 0, 3, 250, 10_000])
def test_settings_come_back_from_a_ticket_whole(backbone: Backbone, shot: Shot, edit: Edit, preset: Preset, steps: int | None) -> None:
    asked = replace(UNUSUAL, preset=preset, lora=LoraSettings(steps=steps, rank=2))
    ticket = issue_ticket(shot, [edit], asked, backbone, DeliverySettings(Path("/out"), alpha=Alpha.MATTE, compression="piz"))
    told = Ticket.from_json(ticket.to_json())
    back = settings_of(told)
    recommended = backbone.folder.lora_steps
    assert back.lora_steps(recommended) == asked.lora_steps(recommended)
    assert replace(back, lora=asked.lora) == replace(asked, guidance=back.guidance)
    assert issue_ticket(shot, [edit], back, backbone, delivery_of(told, Path("/out"))).identity() == ticket.identity() == told.identity()


def test_a_ticket_of_a_newer_version_is_refused(backbone: Backbone, shot: Shot, edit: Edit) -> None:
    ticket = issue_ticket(shot, [edit], UNUSUAL, backbone, DeliverySettings(Path("/out")))
    for settings in ({**ticket.settings, "sharpness": 3}, {**ticket.settings, "edit": "mood"}, {}):
        with pytest.raises(BridgeError) as caught:
            settings_of(replace(ticket, settings=settings))
        assert caught.value.reason is Reason.TICKET_UNUSABLE


def test_other_material_is_refused(backbone: Backbone, shot: Shot, edit: Edit, tmp_path: Path) -> None:
    ticket = issue_ticket(shot, [edit], UNUSUAL, backbone, DeliverySettings(Path("/out")))
    check_material(ticket, shot.clip.path, [edit.image], backbone.folder)
    for changed, words in (
        (replace(ticket, plate_sha256="0"), "--plate"),
        (replace(ticket, edit_sha256="0"), "--edited"),
        (replace(ticket, model_sha256="0"), "weights"),
    ):
        with pytest.raises(BridgeError) as caught:
            check_material(changed, shot.clip.path, [edit.image], backbone.folder)
        assert caught.value.reason is Reason.MATERIAL_CHANGED and words in caught.value.sentence
    with pytest.raises(BridgeError) as caught:
        check_material(ticket, tmp_path / "gone.mov", [edit.image], backbone.folder)
    assert caught.value.reason is Reason.CLIP_NOT_FOUND
    without_region = replace(ticket, region_path=str(tmp_path / "gone.tif"), region_sha256="0")
    for changed, painted, words in ((ticket, tmp_path / "gone.png", "--edited"), (without_region, edit.image, "put it back there")):
        with pytest.raises(BridgeError) as caught:
            check_material(changed, shot.clip.path, [painted], backbone.folder)
        assert words in caught.value.sentence


def test_what_two_tickets_record_differently_is_named_one_by_one(backbone: Backbone, shot: Shot, edit: Edit) -> None:
    ticket = issue_ticket(shot, [edit], UNUSUAL, backbone, DeliverySettings(Path("/out")))
    later = replace(ticket, threads=16, versions={**ticket.versions, "torch": "9"}, created="later", plate_path="/elsewhere.mov")
    assert differing_facts(ticket, later) == [
        ("threads", ticket.threads, 16),
        ("versions.torch", ticket.versions["torch"], "9"),
    ]


def _brighten_three_pixels(spec: Any, pixels: np.ndarray) -> None:
    pixels[0, :3, 0] += np.float16(0.25)


def test_frames_that_differ_are_counted(tmp_path: Path, backbone: Backbone, shot: Shot, edit: Edit) -> None:
    delivered = propagate(shot, edit, Settings(preset=Preset.PREVIEW, steps=3), backbone, DeliverySettings(tmp_path / "a"))
    other = tmp_path / "b"
    other.mkdir()
    for path in delivered.folder.iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    rewrite(other / delivered.frames[2].name, _brighten_three_pixels)
    (other / delivered.frames[4].name).unlink()
    findings, comparison = ends(delivered.folder, other)
    assert [(finding.frame, finding.kind) for finding in findings] == [(3, Kind.FAULT), (5, Kind.FAULT)]
    assert (comparison.differing_frames, comparison.differing_pixels) == (2, 3)
    assert comparison.largest_difference == pytest.approx(0.25, rel=1e-2)

"""Filling in the ticket: everything that it takes to make a delivery again."""

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime

import torch

from i2vedit_core.backbone import Backbone
from i2vedit_core.delivery.sequence import describe_delivery
from i2vedit_core.delivery.ticket import EditNote, Ticket
from i2vedit_core.media.ffmpeg import ffmpeg_version
from i2vedit_core.media.fingerprint import sha256_of, sha256_of_plate
from i2vedit_core.media.source import reading_of
from i2vedit_core.pins import Pins, pinned_note
from i2vedit_core.settings import DeliverySettings, Settings
from i2vedit_core.shot import Edit, Shot


def issue_ticket(
    shot: Shot, edits: Sequence[Edit], settings: Settings, backbone: Backbone, delivery: DeliverySettings, pins: Pins | None = None
) -> Ticket:
    """The ticket of one delivery. `edits`: by frame; `settings`: as they are carried out."""
    first, *further = (_note(edit) for edit in edits)
    computes_with = backbone.computes_with()
    used = dataclasses.asdict(settings)
    used["guidance"] = settings.guidance or backbone.folder.guidance
    used["lora"]["steps"] = settings.lora_steps(backbone.folder.lora_steps)
    return Ticket(
        plate_path=str(shot.clip.path),
        plate_sha256=sha256_of_plate(shot.clip, shot.first, shot.last),
        plate_reading=reading_of(shot.clip),
        first=shot.first,
        last=shot.last,
        edit_path=first.path,
        edit_sha256=first.sha256,
        edit_frame=first.frame,
        model=settings.model,
        settings=used,
        delivery=describe_delivery(shot.clip, delivery),
        seed=settings.seed,
        **{**computes_with, "versions": {**computes_with["versions"], "ffmpeg": ffmpeg_version(), **_hardware(backbone.device)}},
        region_path=first.region_path,
        region_sha256=first.region_sha256,
        further_edits=[dataclasses.asdict(note) for note in further],
        pinned=pinned_note(pins),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _note(edit: Edit) -> EditNote:
    region = sha256_of(edit.region) if edit.region else ""
    return EditNote(str(edit.image), sha256_of(edit.image), edit.frame, str(edit.region or ""), region)


def _hardware(device: torch.device) -> dict[str, str]:
    """What computes, as far as it decides last bits: another card, or a processor with other instructions, need not give the same."""
    if device.type != "cuda":
        return {"instructions": torch.backends.cpu.get_cpu_capability()}
    return {"gpu": torch.cuda.get_device_name(device), "cuda": str(torch.version.cuda)}

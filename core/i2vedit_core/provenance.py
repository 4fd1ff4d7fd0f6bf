"""Filling in the ticket: everything that it takes to make a delivery again."""

import dataclasses
from datetime import UTC, datetime

import torch

from i2vedit_core.backbone import Backbone
from i2vedit_core.delivery.sequence import describe_delivery
from i2vedit_core.delivery.ticket import Ticket
from i2vedit_core.media.ffmpeg import ffmpeg_version
from i2vedit_core.media.fingerprint import sha256_of, sha256_of_plate
from i2vedit_core.media.source import reading_of
from i2vedit_core.settings import DeliverySettings, Settings
from i2vedit_core.shot import Edit, Shot


def issue_ticket(shot: Shot, edit: Edit, settings: Settings, backbone: Backbone, delivery: DeliverySettings) -> Ticket:
    """The ticket of one delivery. `settings`: as they are carried out."""
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
        edit_path=str(edit.image),
        edit_sha256=sha256_of(edit.image),
        edit_frame=shot.first if edit.frame is None else edit.frame,
        model=settings.model,
        settings=used,
        delivery=describe_delivery(shot.clip, delivery),
        seed=settings.seed,
        **{**computes_with, "versions": {**computes_with["versions"], "ffmpeg": ffmpeg_version(), **_hardware(backbone.device)}},
        region_path=str(edit.region or ""),
        region_sha256=sha256_of(edit.region) if edit.region else "",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _hardware(device: torch.device) -> dict[str, str]:
    """What computes, as far as it decides last bits: another card, or a processor with other instructions, need not give the same."""
    if device.type != "cuda":
        return {"instructions": torch.backends.cpu.get_cpu_capability()}
    return {"gpu": torch.cuda.get_device_name(device), "cuda": str(torch.version.cuda)}

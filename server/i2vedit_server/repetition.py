"""From a ticket to the job that makes its delivery again."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from i2vedit.v1 import clip_pb2, delivery_pb2, job_pb2
from i2vedit_core.delivery.ticket import Ticket
from i2vedit_core.pins import Range
from i2vedit_core.repeat import delivery_of, pinned_ranges, settings_of
from i2vedit_server import convert

E = TypeVar("E")


@dataclass(frozen=True)
class DeliveryPaths:
    """A version folder, and where its plate and edited frames, by frame, are looked for; None: nowhere."""

    folder: Path
    plate: Path | None
    edits: tuple[Path | None, ...]


def repetition_spec(ticket: Ticket, paths: DeliveryPaths, output: str) -> job_pb2.JobSpec:
    """The job that makes a delivery again. Its settings are those of the ticket; what stands in the spec is for people and for roots."""
    ranges = pinned_ranges(ticket)
    settings, delivery = settings_of(ticket), delivery_of(ticket, Path(output))
    return job_pb2.JobSpec(
        clip=clip_pb2.ClipRef(path=str(paths.plate), source_in=ticket.first, frame_count=ticket.last - ticket.first + 1),
        edits=[
            job_pb2.EditedFrame(path=str(path), frame=note.frame, region_path=note.region_path)
            for note, path in zip(ticket.edits, paths.edits, strict=True)
            if not any(first <= note.frame <= last for first, last in ranges)  # those are the edges of what is pinned
        ],
        pinned=job_pb2.PinnedFrames(directory=ticket.pinned["path"], ranges=_ranges(ranges)) if ranges else None,
        settings=job_pb2.PropagationSettings(
            model=settings.model,
            preset=_number(convert.PRESETS, settings.preset),
            edit_kind=_number(convert.EDIT_KINDS, settings.edit),
            seed=settings.seed,
            picture_area=settings.picture_area or 0,
            stride=settings.stride or 0,
        ),
        delivery=job_pb2.DeliverySettings(
            directory=output,
            color_space=delivery.color_space,
            depth=_number(convert.DEPTHS, delivery.depth),
            compression=delivery.compression,
            alpha=_number(convert.ALPHAS, delivery.alpha),
            inside=_number(convert.INSIDES, delivery.inside),
            grain=delivery.grain,
            repeats=delivery_pb2.Repetition(directory=str(paths.folder), ticket=ticket.to_json()),
        ),
    )


def _ranges(ranges: Iterable[Range]) -> list[job_pb2.FrameRange]:
    return [job_pb2.FrameRange(first=first, last=last) for first, last in ranges]


def _number(table: dict[int, E], value: E) -> Any:
    """The enum number of a dataclass value."""
    return next(number for number, each in table.items() if each is value)

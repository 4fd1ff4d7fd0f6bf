"""Runs jobs without a model, and delivers real pictures: what was painted stays where it was painted, on every frame."""

from pathlib import Path

import numpy as np

from i2vedit_core.delivery.painted import read_painted
from i2vedit_core.delivery.sequence import SequenceWriter, reserve_version
from i2vedit_core.delivery.ticket import Ticket
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.progress import CancelToken, FrameDelivered, Progress, Stage
from i2vedit_core.shot import Edit, Shot
from i2vedit_server.messages import JobOrder, ShotOrder
from i2vedit_server.worker_main import Report

NOTHING = {"str": "", "int": 0, "dict[str, Any]": {}, "dict[str, str]": {}}


def run(order: ShotOrder, report: Report, token: CancelToken) -> Path | None:
    """Delivers with the product's own writer."""
    shot = Shot.open(order.clip, order.first, order.last)
    if not isinstance(order, JobOrder):
        return None
    painted = read_painted(Edit.open(order.edit, shot, order.edit_frame), shot)
    matte = (painted.difference > painted.precision).astype(np.float32)
    ticket = Ticket(**{**_empty(), "first": shot.first, "last": shot.last, "delivery": {"alpha": str(order.delivery.alpha)}})
    folder = reserve_version(order.delivery.directory, shot.clip)
    with SequenceWriter(folder, shot.clip, order.delivery, ticket) as writer:
        for step, plate in enumerate(decode_frames(shot.clip, shot.first, shot.last)):
            path = writer.write(shot.first + step, plate, painted.picture, matte)
            report(Progress(Stage.DELIVER, 0, 1, step, len(shot)))
            report(FrameDelivered(shot.first + step, path))
    return folder


def _empty() -> dict[str, object]:
    return {name: NOTHING.get(str(field.type), "") for name, field in Ticket.__dataclass_fields__.items()}

"""The RPCs on what has been delivered: whether it is whole and true, making it again, and what differs then."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from itertools import zip_longest
from pathlib import Path
from typing import Any

from i2vedit.v1 import delivery_pb2 as pb
from i2vedit_core.delivery.ticket import Ticket
from i2vedit_core.delivery.verify import read_ticket
from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.models import find_model
from i2vedit_core.repeat import check_material
from i2vedit_server import convert
from i2vedit_server.admission import Wish
from i2vedit_server.job_calls import JobCalls
from i2vedit_server.looks import Looks
from i2vedit_server.parts import Context, Parts
from i2vedit_server.repetition import DeliveryPaths, repetition_spec


class DeliveryCalls(JobCalls):
    """VerifyDelivery, RepeatDelivery and CompareDeliveries."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._looks = Looks()

    async def VerifyDelivery(self, request: pb.VerifyDeliveryRequest, context: Context) -> AsyncGenerator[pb.VerifyDeliveryResponse, None]:
        folder = await asyncio.to_thread(_version_folder, request.directory)
        paths = await asyncio.to_thread(self._paths, request, folder, _ticket_or_none(folder), context.peer())
        # Closed here and now when the caller goes, and with it the process.
        async with aclosing(self._looks.look("verify", *_texts(paths.folder, paths.plate, *paths.edits))) as looking:
            async for told in looking:
                if told["event"] == "verdict":
                    yield pb.VerifyDeliveryResponse(verdict=_verdict(told))
                elif told["event"] == "looked":
                    yield pb.VerifyDeliveryResponse(progress=_progress(told))
                else:
                    yield pb.VerifyDeliveryResponse(finding=_finding(told))

    async def CompareDeliveries(
        self, request: pb.CompareDeliveriesRequest, context: Context
    ) -> AsyncGenerator[pb.CompareDeliveriesResponse, None]:
        folders = [await asyncio.to_thread(_version_folder, name) for name in (request.directory, request.other_directory)]
        async with aclosing(self._looks.look("compare", *_texts(*folders))) as looking:
            async for told in looking:
                if told["event"] == "comparison":
                    yield pb.CompareDeliveriesResponse(comparison=_comparison(told))
                elif told["event"] == "looked":
                    yield pb.CompareDeliveriesResponse(progress=_progress(told))
                else:
                    yield pb.CompareDeliveriesResponse(finding=_finding(told))

    async def RepeatDelivery(self, request: pb.RepeatDeliveryRequest, context: Context) -> pb.RepeatDeliveryResponse:
        folder = await asyncio.to_thread(_version_folder, request.directory)
        ticket = await asyncio.to_thread(_ticket, folder)
        paths = await asyncio.to_thread(self._paths, request, folder, ticket, context.peer())
        if paths.plate is None or None in paths.edits:
            sentence = "The ticket names files that callers from another machine may not use; say where they are with --plate and --edited."
            raise BridgeError(Code.PERMISSION_DENIED, Reason.PATH_NOT_ALLOWED, sentence)
        spec = repetition_spec(ticket, paths, request.output_path)
        self._confinement.admit(spec, context.peer())
        await asyncio.to_thread(_check, ticket, Path(spec.clip.path), [edit for edit in paths.edits if edit], spec.settings.model)
        record, attached, _ = await self._admission.create(spec, Wish(request.request_id, attach=True))
        if not attached:
            await self._scheduler.arrived(record)
        return pb.RepeatDeliveryResponse(job=convert.job_name(record.job_id), attached=attached)

    def _paths(
        self, request: pb.VerifyDeliveryRequest | pb.RepeatDeliveryRequest, folder: Path, ticket: Ticket | None, peer: str
    ) -> DeliveryPaths:
        """What the caller names, else what the ticket names and this caller may have looked at."""
        plate = convert.local_path(request.plate_path, "clip") if request.plate_path else None
        texts = [request.edit_path, *request.further_edit_paths]
        edits = [convert.local_path(text, "edited frame") if text else None for text in texts]
        if ticket is not None:
            notes = ticket.edits
            if len(notes) < len(edits):
                sentence = f"{len(edits)} edited frames were given, and this was made with {len(notes)}; give --edited once for each."
                raise BridgeError(Code.INVALID_ARGUMENT, Reason.SETTING_INVALID, sentence)
            plate = plate or Path(ticket.plate_path)
            edits = [edit or Path(note.path) for note, edit in zip_longest(notes, edits)]
        allowed = [path if path and self._confinement.allows(path, peer) else None for path in (plate, *edits)]
        return DeliveryPaths(folder, allowed[0], tuple(allowed[1:]))


def _texts(*paths: Path | None) -> Iterator[str]:
    """As arguments of a process; empty for nowhere."""
    return (str(path or "") for path in paths)


def _version_folder(text: str) -> Path:
    folder = convert.local_path(text, "delivered version")
    if not folder.is_dir():
        sentence = f"There is no folder '{folder}'; give the folder of a delivered version, the one with ticket.json in it."
        raise BridgeError(Code.NOT_FOUND, Reason.DELIVERY_NOT_FOUND, sentence)
    return folder


def _ticket(folder: Path) -> Ticket:
    try:
        return read_ticket(folder)[0]
    except ValueError as error:
        raise BridgeError(Code.FAILED_PRECONDITION, Reason.TICKET_UNUSABLE, str(error)) from error


def _ticket_or_none(folder: Path) -> Ticket | None:
    """A ticket that cannot be read is what `verify` will say itself."""
    try:
        return _ticket(folder)
    except BridgeError:
        return None


def _check(ticket: Ticket, plate: Path, edits: Sequence[Path], model: str) -> None:
    """Reads plate, edited frames and model for their hashes. Blocks."""
    check_material(ticket, plate, edits, find_model(model))


def _finding(told: dict[str, Any]) -> pb.Finding:
    kind = pb.Finding.Kind.Value(f"KIND_{told['kind'].upper()}")
    return pb.Finding(kind=kind, check=told["check"], message=told["sentence"], frame=told["frame"])


def _progress(told: dict[str, Any]) -> pb.LookProgress:
    return pb.LookProgress(frame_count=told["of"], looked_count=told["count"])


def _verdict(told: dict[str, Any]) -> pb.Verdict:
    return pb.Verdict(
        first_frame=told["first"],
        last_frame=told["last"],
        fault_count=told["faults"],
        unchecked_count=told["unchecked"],
        lossy=told["lossy"],
        largest_difference=told["largest_difference"],
    )


def _comparison(told: dict[str, Any]) -> pb.Comparison:
    return pb.Comparison(
        frame_count=told["frames"],
        differing_frame_count=told["differing_frames"],
        pixel_count=told["pixels"],
        differing_pixel_count=told["differing_pixels"],
        largest_difference=told["largest_difference"],
    )

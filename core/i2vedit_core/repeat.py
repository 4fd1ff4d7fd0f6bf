"""Making a delivery again: a ticket's settings as they were, and the refusal to repeat it with other material."""

import types
from collections.abc import Callable, Sequence
from dataclasses import is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from i2vedit_core.delivery.form import Form
from i2vedit_core.delivery.ticket import EditNote, Ticket
from i2vedit_core.delivery.verify import list_frames, read_ticket
from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.media.fingerprint import sha256_of, sha256_of_frames, sha256_of_plate
from i2vedit_core.media.source import source_of
from i2vedit_core.models import ModelFolder
from i2vedit_core.pins import Range
from i2vedit_core.settings import LORA_SHARES, Cuts, DeliverySettings, Preset, Settings
from i2vedit_core.shot import Shot

T = TypeVar("T")


def settings_of(ticket: Ticket) -> Settings:
    """The settings with which a ticket's delivery was made. Raises BridgeError TICKET_UNUSABLE, SETTING_INVALID."""
    try:
        return _from_json(Settings, _asked_for(ticket.settings))
    except (KeyError, TypeError, ValueError) as error:
        raise _unusable(f"its settings cannot be carried out by this version ({error})") from error


def _asked_for(settings: dict[str, Any]) -> dict[str, Any]:
    """A ticket has the LoRA steps that were taken; settings have those of the full preset, of which each takes its share.

    One from before there were these settings was carried out without them.
    """
    share = LORA_SHARES[Preset(settings["preset"])]
    lora = settings["lora"]
    return {"anchored": False, "cuts": Cuts.IGNORE, **settings, "lora": {**lora, "steps": round(lora["steps"] / share) if share else 0}}


def delivery_of(ticket: Ticket, directory: Path) -> DeliverySettings:
    """The same delivery into another folder. Formats beside the EXR are not made again. Raises BridgeError TICKET_UNUSABLE."""
    try:
        form = Form.from_json(ticket.delivery)
    except ValueError as error:
        raise _unusable(str(error).rstrip(".")) from error
    return DeliverySettings(directory, form.color_space, form.depth, form.compression, form.alpha, inside=form.inside, grain=form.grain)


def check_material(ticket: Ticket, plate: Path, edits: Sequence[Path], model: ModelFolder) -> None:
    """Raises BridgeError MATERIAL_CHANGED, CLIP_NOT_FOUND or EDIT_NOT_FOUND unless everything is what the ticket was made of.

    `edits`: the painted frames, in their order.
    """
    if _plate_hash(ticket, plate) != ticket.plate_sha256:
        raise _changed(f"The plate '{plate}' is not what it was when this was delivered; give the plate of then with --plate.")
    for note, edit in zip(ticket.edits, edits, strict=True):
        _check_edit(note, edit)
    if ticket.pinned and _pinned_hash(ticket) != ticket.pinned["sha256"]:
        raise _changed(f"Frames pinned from '{ticket.pinned['path']}' are not what they were; put the version of then in its place.")
    if model.sha256 != ticket.model_sha256:
        raise _changed(f"The model '{ticket.model}' has other weights than when this was delivered; put the former ones in its place.")


def _check_edit(note: EditNote, edit: Path) -> None:
    if _hash(edit, Reason.EDIT_NOT_FOUND, "edited frame", "say where it is with --edited") != note.sha256:
        raise _changed(f"The edited frame '{edit}' has been saved again since; give the picture of then with --edited.")
    if note.region_path and _hash(Path(note.region_path), Reason.REGION_UNUSABLE, "region", "put it back there") != note.region_sha256:
        raise _changed(f"The region '{note.region_path}' is not what it was when this was delivered; put the one of then in its place.")


def pinned_ranges(ticket: Ticket) -> tuple[Range, ...]:
    """Those that were taken over from an earlier version."""
    return tuple((int(first), int(last)) for first, last in ticket.pinned.get("ranges", ()))


def _pinned_hash(ticket: Ticket) -> str:
    """Of the frames where they were; empty where they cannot be found so any more."""
    folder = Path(ticket.pinned["path"])
    try:
        found, _ = list_frames(folder, read_ticket(folder)[0])
        return sha256_of_frames({frame: found[frame] for first, last in pinned_ranges(ticket) for frame in range(first, last + 1)})
    except (ValueError, OSError, KeyError):
        return ""


def _plate_hash(ticket: Ticket, plate: Path) -> str:
    """Of the plate as the ticket reads it; empty where it cannot be read so any more."""
    try:
        shot = Shot.open(source_of(plate, ticket.plate_reading), ticket.first, ticket.last)
        return sha256_of_plate(shot.clip, shot.first, shot.last)
    except BridgeError as error:
        if error.reason is not Reason.CLIP_NOT_FOUND:
            return ""
        raise BridgeError(error.code, error.reason, f"{error.sentence} Or say where the plate is with --plate.") from error
    except (KeyError, ValueError) as error:
        raise _unusable("it does not say how the plate was read") from error


def _hash(path: Path, reason: Reason, what: str, way_out: str) -> str:
    try:
        return sha256_of(path)
    except OSError as error:
        sentence = f"The {what} cannot be read at '{path}' ({error.strerror}); {way_out}."
        raise BridgeError(Code.NOT_FOUND, reason, sentence) from error


def _changed(sentence: str) -> BridgeError:
    return BridgeError(Code.FAILED_PRECONDITION, Reason.MATERIAL_CHANGED, sentence)


def _unusable(why: str) -> BridgeError:
    return BridgeError(Code.FAILED_PRECONDITION, Reason.TICKET_UNUSABLE, f"The ticket cannot be used: {why}.")


def _from_json(kind: type[T], found: dict[str, Any]) -> T:
    """A dataclass of settings from JSON values. Raises TypeError for a field that it has not, ValueError for a wrong value."""
    hints = get_type_hints(kind)
    unknown = found.keys() - hints.keys()
    if unknown:
        raise TypeError(f"unknown: {', '.join(sorted(unknown))}")
    return kind(**{name: _value(hints[name], value) for name, value in found.items()})


def _value(hint: Any, value: Any) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        return None if value is None else _value(next(each for each in get_args(hint) if each is not type(None)), value)
    if get_origin(hint) is tuple:
        inner = get_args(hint)[0]
        return tuple(_value(inner, each) for each in value)
    if is_dataclass(hint) and isinstance(hint, type):
        return _from_json(hint, value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    convert: Callable[[Any], Any] = hint
    return convert(value)

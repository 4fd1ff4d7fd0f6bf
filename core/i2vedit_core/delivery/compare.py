"""Holds two deliveries of one shot against each other, and says what their tickets tell of why they differ."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from i2vedit_core.delivery.finding import Check, Comparison, Finding, Kind, Looked
from i2vedit_core.delivery.form import CHANNELS
from i2vedit_core.delivery.ticket import Ticket
from i2vedit_core.delivery.verify import list_frames, read_ticket

Event = Finding | Looked | Comparison


def compare(folder: Path, other: Path) -> Iterator[Event]:
    """What differs between a delivered version and another one of the same range; a Comparison comes last."""
    try:
        (ticket, _), (other_ticket, _) = read_ticket(folder), read_ticket(other)
    except ValueError as error:
        yield Finding(Kind.FAULT, Check.TICKET, str(error))
        yield Comparison(0, 1, 0, 0, 0.0)
        return
    if (ticket.first, ticket.last) != (other_ticket.first, other_ticket.last):
        sentence = f"One has frames {ticket.first} to {ticket.last}, the other {other_ticket.first} to {other_ticket.last}."
        yield Finding(Kind.FAULT, Check.FRAMES, sentence)
        yield Comparison(0, 1, 0, 0, 0.0)
        return
    total = _Total()
    yield from _frames(list_frames(folder, ticket)[0], list_frames(other, other_ticket)[0], ticket, total)
    if total.differing_frames:
        yield from _reasons(ticket, other_ticket)
    yield Comparison(total.frames, total.differing_frames, total.pixels, total.differing_pixels, total.largest)


@dataclass
class _Total:
    """Over all frames so far."""

    frames: int = 0
    differing_frames: int = 0
    pixels: int = 0
    differing_pixels: int = 0
    largest: float = 0.0


def _frames(files: dict[int, Path], others: dict[int, Path], ticket: Ticket, total: _Total) -> Iterator[Finding | Looked]:
    count = ticket.last - ticket.first + 1
    for number in range(ticket.first, ticket.last + 1):
        one, two = (_pixels(found.get(number)) for found in (files, others))
        total.frames += 1
        words = _difference(one, two, total)
        if words:
            total.differing_frames += 1
            yield Finding(Kind.FAULT, Check.PIXELS, f"Frame {number}: {words}", number)
        yield Looked(number - ticket.first + 1, count)


def _pixels(path: Path | None) -> NDArray[Any] | None:
    """`[H, W, 5]` in the file's own depth; None where there is no such frame or it cannot be read."""
    source = oiio.ImageInput.open(str(path)) if path is not None else None
    if source is None:
        oiio.geterror()
        return None
    pixels: NDArray[Any] | None = source.read_image(0, 0, 0, len(CHANNELS), oiio.UNKNOWN)
    source.geterror()
    source.close()
    return pixels


def _difference(one: NDArray[Any] | None, two: NDArray[Any] | None, total: _Total) -> str:
    """What differs, counted into the total; empty where nothing does."""
    if one is None or two is None:
        return "it is missing or damaged in one of the two."
    if one.shape != two.shape or one.dtype != two.dtype:
        return "its size or depth differs."
    total.pixels += one.shape[0] * one.shape[1]
    if one.tobytes() == two.tobytes():
        return ""
    with np.errstate(invalid="ignore"):
        distance = np.nan_to_num(np.abs(one.astype(np.float32) - two.astype(np.float32)).max(axis=2), posinf=np.inf)
    count, largest = int((one.view(f"u{one.itemsize}") != two.view(f"u{two.itemsize}")).any(axis=2).sum()), float(distance.max())
    total.differing_pixels += count
    total.largest = max(total.largest, largest)
    return f"{count} of {distance.size} pixels differ, by up to {largest:.2g}."


def _reasons(ticket: Ticket, other: Ticket) -> Iterator[Finding]:
    """What the two tickets record differently."""
    for name, before, now in differing_facts(ticket, other):
        yield Finding(Kind.NOTE, Check.TICKET, f"Recorded differently: {name} was {before}, and is {now} now.")


def differing_facts(ticket: Ticket, other: Ticket) -> list[tuple[str, Any, Any]]:
    """Name and both values of everything that decides pixels and differs between two tickets."""
    before, now = _flat(ticket.deciding()), _flat(other.deciding())
    names = sorted(before.keys() | now.keys())
    return [(name, before.get(name, "not there"), now.get(name, "not there")) for name in names if before.get(name) != now.get(name)]


def _flat(found: dict[str, Any]) -> dict[str, Any]:
    """Every fact under a name of its own, dictionaries taken apart."""
    flat: dict[str, Any] = {}
    for key, value in found.items():
        flat |= {f"{key}.{inner}": each for inner, each in _flat(value).items()} if isinstance(value, dict) else {key: value}
    return flat

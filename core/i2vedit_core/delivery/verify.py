"""Re-reads a delivered version folder and says whether it is whole and true."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from pathlib import Path

from i2vedit_core.delivery.beside import beside_paths
from i2vedit_core.delivery.finding import Check, Finding, Kind, Looked, Verdict
from i2vedit_core.delivery.form import Form
from i2vedit_core.delivery.frame_checks import StoredFrame, as_painted, expected_header, matte_and_alpha, open_frame, outside_matte
from i2vedit_core.delivery.painted import Painted, read_painted
from i2vedit_core.delivery.ticket import TICKET_FILE, EditNote, Ticket
from i2vedit_core.errors import BridgeError
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.media.ffmpeg import ffmpeg_version
from i2vedit_core.media.fingerprint import sha256_of, sha256_of_plate
from i2vedit_core.media.limits import limits
from i2vedit_core.media.picture_file import is_whole
from i2vedit_core.media.pixels import Picture
from i2vedit_core.media.probe import probe
from i2vedit_core.media.source import source_of
from i2vedit_core.settings import SideFormat
from i2vedit_core.shot import Edit, Shot

FRAME_NAME = re.compile(r"(?P<stem>.+)\.(?P<number>\d{4,})\.exr", re.IGNORECASE)

Event = Finding | Looked | Verdict


def read_ticket(folder: Path) -> tuple[Ticket, Form]:
    """The ticket of a version folder, and the form that it tells of. Raises ValueError with a sentence."""
    try:
        ticket = Ticket.load(folder)
        if not 0 <= ticket.last - ticket.first < limits().clip_frames:
            raise ValueError("A range that no clip has.")
        return ticket, Form.from_json(ticket.delivery)
    except FileNotFoundError as error:
        raise ValueError(f"There is no {TICKET_FILE} in '{folder}'; give the folder of a delivered version.") from error
    except OSError as error:
        raise ValueError(f"The ticket in '{folder}' cannot be read: {error.strerror}.") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"The {TICKET_FILE} in '{folder}' is damaged, or no ticket of this program's.") from error


def verify(folder: Path, plate: Path | None = None, edits: Sequence[Path | None] = ()) -> Iterator[Event]:
    """What is wrong with a delivered version, frame by frame; a Verdict comes last.

    `plate` and `edits` say where plate and painted pictures, in their order, are to be looked for; where there is None or nothing, they are
    not looked at, and what depends on them is told to be unchecked.
    """
    try:
        ticket, form = read_ticket(folder)
    except ValueError as error:
        yield Finding(Kind.FAULT, Check.TICKET, str(error))
        yield Verdict(0, -1, faults=1, unchecked=0, lossy=False, largest_difference=0.0)
        return
    yield from _Verification(folder, ticket, form).run(plate, edits)


@dataclass
class _Verification:
    """One look at one folder."""

    folder: Path
    ticket: Ticket
    form: Form
    counts: Counter[Kind] = field(default_factory=Counter)
    largest: float = 0.0
    """Difference to the plate so far."""
    differs: bool = False
    """Whether a frame was found that is not its plate's."""

    def run(self, plate: Path | None, edits: Sequence[Path | None]) -> Iterator[Event]:
        files, listed = list_frames(self.folder, self.ticket)
        shot, told = open_plate(self.ticket, plate)
        painted, told_of_edits = _open_edits(self.ticket, shot, edits)
        for finding in (*listed, *_beside(self.folder, self.ticket, self.form), *told, *told_of_edits):
            yield self._counted(finding)
        for told_now in self._frames(files, shot, painted):
            yield self._counted(told_now) if isinstance(told_now, Finding) else told_now
        yield Verdict(
            self.ticket.first, self.ticket.last, self.counts[Kind.FAULT], self.counts[Kind.UNCHECKED], self.form.lossy, self.largest
        )

    def _counted(self, finding: Finding) -> Finding:
        self.counts[finding.kind] += 1
        return finding

    def _frames(self, files: dict[int, Path], shot: Shot | None, painted: dict[int, Painted]) -> Iterator[Finding | Looked]:
        plates = _plates(shot, self.ticket)
        first, last = self.ticket.first, self.ticket.last
        for number in range(first, last + 1):
            plate = next(plates)
            if isinstance(plate, Finding):
                yield plate
                plate = None
            if number in files:
                yield from self._frame(number, files[number], plate, painted.get(number))
            yield Looked(number - first + 1, last - first + 1)
        if self.differs:
            yield from self._other_decoder()

    def _frame(self, number: int, path: Path, plate: Picture | None, painted: Painted | None) -> Iterator[Finding]:
        frame, findings = open_frame(path, number, expected_header(self.form, self.ticket, number))
        yield from findings
        if frame is None:
            return
        yield from matte_and_alpha(frame, self.form)
        if plate is not None:
            yield from self._against_plate(frame, plate)
        if painted is not None:
            yield from as_painted(frame, painted, self.form)

    def _against_plate(self, frame: StoredFrame, plate: Picture) -> Iterator[Finding]:
        if plate.shape[:2] != frame.pixels.shape[:2]:
            yield frame.fault(Check.PLATE, f"it is not of the plate's size, {plate.shape[1]}x{plate.shape[0]}.")
            return
        findings, largest = outside_matte(frame, plate, self.form)
        self.largest, self.differs = max(self.largest, largest), self.differs or bool(findings)
        yield from findings

    def _other_decoder(self) -> Iterator[Finding]:
        """Two versions of a decoder may give other pixels of the same file."""
        then, now = self.ticket.versions.get("ffmpeg"), ffmpeg_version()
        if then is not None and then != now:
            yield Finding(Kind.NOTE, Check.PLATE, f"The plate was decoded with ffmpeg {then} then and with {now} now, which may differ.")


def _beside(folder: Path, ticket: Ticket, form: Form) -> Iterator[Finding]:
    """Whether what was asked for beside the EXR is there, with as many frames."""
    for side in form.also:
        for frame, path in beside_paths(folder / _stem(folder), side, ticket.first, ticket.last).items():
            wrong = _picture_fault(path, form) if side is SideFormat.PNG else _movie_fault(path, ticket.last - ticket.first + 1)
            if wrong:
                yield Finding(Kind.FAULT, Check.SIDE, f"'{path.name}' {wrong}.", frame if side is SideFormat.PNG else None)


def _picture_fault(path: Path, form: Form) -> str:
    if not path.is_file():
        return "is missing"
    return "" if is_whole(path, form.data_window.width, form.data_window.height, 4) else "is damaged, or of another size"


def _movie_fault(path: Path, frames: int) -> str:
    if not path.is_file():
        return "is missing"
    try:
        found = probe(path).frame_count
    except BridgeError:
        return "cannot be opened as a movie"
    return "" if found == frames else f"has another number of frames: {found} instead of {frames}"


def _stem(folder: Path) -> str:
    """What the frames are called before their number: as the folder, unless that was renamed."""
    stems = Counter(match["stem"] for path in folder.iterdir() if (match := FRAME_NAME.fullmatch(path.name)))
    return folder.name if stems[folder.name] else next((name for name, _ in stems.most_common(1)), folder.name)


def list_frames(folder: Path, ticket: Ticket) -> tuple[dict[int, Path], list[Finding]]:
    """The frames of a version folder by number, and which are missing or too many. The folder may have been renamed."""
    found = [(match, path) for path in sorted(folder.iterdir()) if (match := FRAME_NAME.fullmatch(path.name))]
    stem = _stem(folder)
    wanted = range(ticket.first, ticket.last + 1)
    files = {int(match["number"]): path for match, path in found if match["stem"] == stem and int(match["number"]) in wanted}
    missing = [number for number in wanted if number not in files]
    strays = [path.name for _, path in found if path not in files.values()]
    findings = [Finding(Kind.FAULT, Check.FRAMES, f"Frame {number} is missing.", number) for number in missing]
    findings += [Finding(Kind.FAULT, Check.FRAMES, f"'{name}' does not belong to frames {wanted[0]} to {wanted[-1]}.") for name in strays]
    return files, findings


def open_plate(ticket: Ticket, path: Path | None) -> tuple[Shot | None, list[Finding]]:
    """The shot of a ticket, if its plate is still there and still the same."""
    if path is None:
        return None, [_unchecked_plate("it is not known where the plate is; give it with --plate")]
    try:
        shot = Shot.open(source_of(path, ticket.plate_reading), ticket.first, ticket.last)
        if sha256_of_plate(shot.clip, ticket.first, ticket.last) != ticket.plate_sha256:
            return None, [_unchecked_plate(f"'{path}' is not the plate of then, its content has changed; give the plate with --plate")]
    except BridgeError as error:
        return None, [_unchecked_plate(f"the plate cannot be opened ({error.sentence.rstrip('.')}); give it with --plate")]
    except (KeyError, ValueError):
        return None, [_unchecked_plate("the ticket does not say how the plate was read")]
    except OSError as error:
        return None, [_unchecked_plate(f"the plate cannot be read ({error.strerror})")]
    return shot, []


def _unchecked_plate(why: str) -> Finding:
    return Finding(Kind.UNCHECKED, Check.PLATE, f"Not checked whether pixels outside the matte are the plate's: {why}.")


def _open_edits(ticket: Ticket, shot: Shot | None, paths: Sequence[Path | None]) -> tuple[dict[int, Painted], list[Finding]]:
    """The painted frames by number, as far as they can be opened."""
    painted, findings = {}, []
    for note, path in zip(ticket.edits, chain(paths, repeat(None)), strict=False):
        found, told = _open_edit(note, shot, path)
        findings += told
        if found is not None:
            painted[note.frame] = found
    return painted, findings


def _open_edit(note: EditNote, shot: Shot | None, path: Path | None) -> tuple[Painted | None, list[Finding]]:
    if shot is None:
        return None, [_unchecked_edit("that needs the plate, too")]
    if path is None:
        return None, [_unchecked_edit("it is not known where the edited frame is; give it with --edited")]
    try:
        edit = Edit.open(path, shot, note.frame, note.region_path or None)
        if sha256_of(edit.image) != note.sha256:
            return None, [_unchecked_edit(f"'{path}' has been saved again since; give the picture of then with --edited")]
        return read_painted(edit, shot), []
    except BridgeError as error:
        return None, [_unchecked_edit(f"the edited frame cannot be opened ({error.sentence.rstrip('.')}); give it with --edited")]


def _unchecked_edit(why: str) -> Finding:
    return Finding(Kind.UNCHECKED, Check.PAINTED, f"Not checked whether the painted frame is as painted: {why}.")


def _plates(shot: Shot | None, ticket: Ticket) -> Iterator[Picture | Finding | None]:
    """The plate of every frame, None where there is none; a plate that breaks off tells so once."""
    if shot is not None:
        try:
            yield from decode_frames(shot.clip, ticket.first, ticket.last)
            return
        except BridgeError as error:
            yield _unchecked_plate(f"from here on, the plate cannot be read ({error.sentence.rstrip('.')})")
    while True:
        yield None

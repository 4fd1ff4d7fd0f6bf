"""The ticket: what a sequence was made of, so that it can be known and made again."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from i2vedit_core.files import whole_file

TICKET_FILE = "ticket.json"
FORMAT = 1
ATTRIBUTE_PREFIX = "i2vedit/"
MAX_ATTRIBUTE_NAME = 31
"""Longer names make an EXR unreadable for older software."""


@dataclass(frozen=True)
class EditNote:
    """A painted frame of a delivery."""

    path: str
    sha256: str
    frame: int
    """Source frame number."""
    region_path: str = ""
    """Of the matte that the artist gave; empty where none was given."""
    region_sha256: str = ""

    def named(self) -> dict[str, str | int]:
        """Without full paths."""
        told: dict[str, str | int] = {"edit": Path(self.path).name, "sha256": self.sha256, "frame": self.frame}
        return told | ({"region": Path(self.region_path).name, "region_sha256": self.region_sha256} if self.region_path else {})


@dataclass(frozen=True)
class Ticket:
    """Names, hashes and settings of one delivery. `*_path` fields are full paths and stay in `ticket.json`."""

    plate_path: str
    plate_sha256: str
    """Of a sequence: over the pictures of the range (`sha256_of_plate`)."""
    first: int
    """Source frame numbers; `last` is inclusive."""
    last: int
    edit_path: str
    edit_sha256: str
    edit_frame: int
    model: str
    """`mini`, `svd`, `svd-xt`, or the path of a folder."""
    model_sha256: str
    settings: dict[str, Any]
    """As JSON values, in full: with them the same pixels can be made again."""
    delivery: dict[str, Any]
    """Depth, compression, alpha and colour space as they were resolved."""
    seed: int
    device: str
    dtype: str
    threads: int
    versions: dict[str, str]
    """Of i2vedit-bridge and of every library that decides the result."""
    created: str
    """UTC, ISO 8601."""
    plate_reading: dict[str, Any] = dataclasses.field(default_factory=dict)
    """Rate, timecode, stream and deinterlacing of the plate (`media.source.reading_of`)."""
    region_path: str = ""
    """Of the matte that the artist gave; empty where none was given."""
    region_sha256: str = ""
    further_edits: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    """The painted frames behind the first one, each as an `EditNote`."""
    pinned: dict[str, Any] = dataclasses.field(default_factory=dict)
    """Frames taken over from an earlier version: its `path` and name, the `ranges` and the `sha256` over their files. Empty: none."""

    @property
    def edits(self) -> tuple[EditNote, ...]:
        """All painted frames, in their order."""
        first = EditNote(self.edit_path, self.edit_sha256, self.edit_frame, self.region_path, self.region_sha256)
        return first, *(EditNote(**told) for told in self.further_edits)

    def attributes(self) -> dict[str, str | int]:
        """What every EXR carries: hashes and names, never a full path."""
        settings = {key: _name_only(value) if key == "model" else value for key, value in self.settings.items()}
        values: dict[str, str | int] = {
            "plate": Path(self.plate_path).name,
            "plate_sha256": self.plate_sha256,
            "plate_reading": json.dumps(self.plate_reading, sort_keys=True),
            "range": f"{self.first}-{self.last}",
            "edit": Path(self.edit_path).name,
            "edit_sha256": self.edit_sha256,
            "edit_frame": self.edit_frame,
            "model": _name_only(self.model),
            "model_sha256": self.model_sha256,
            "settings": json.dumps(settings, sort_keys=True),
            "delivery": json.dumps(self.delivery, sort_keys=True),
            "seed": str(self.seed),
            "device": self.device,
            "dtype": self.dtype,
            "threads": self.threads,
            "versions": json.dumps(self.versions, sort_keys=True),
            "created": self.created,
        }
        if self.region_path:
            values |= {"region": Path(self.region_path).name, "region_sha256": self.region_sha256}
        if self.further_edits:
            values["further_edits"] = json.dumps([note.named() for note in self.edits[1:]], sort_keys=True)
        if self.pinned:
            values["pinned"] = json.dumps(self._pinned_named(), sort_keys=True)
        return {ATTRIBUTE_PREFIX + name: value for name, value in values.items()}

    def _pinned_named(self) -> dict[str, Any]:
        return {name: value for name, value in self.pinned.items() if name != "path"}

    def deciding(self) -> dict[str, Any]:
        """What decides the pixels. Where maps were kept is left out: all ways give the same ones."""
        incidental = {"created", "plate_path", "edit_path", "region_path"}
        deciding = {key: value for key, value in dataclasses.asdict(self).items() if key not in incidental}
        deciding["further_edits"] = [note.named() for note in self.edits[1:]]
        deciding["pinned"] = self._pinned_named()
        # As it comes back from its file, so that a ticket equals itself when it is read again.
        deciding["settings"] = json.loads(json.dumps({key: value for key, value in self.settings.items() if key != "maps"}))
        return deciding

    def identity(self) -> str:
        """As text: two tickets with the same identity make the same sequence."""
        return json.dumps(self.deciding(), sort_keys=True)

    def to_json(self) -> str:
        return json.dumps({"format": FORMAT, **dataclasses.asdict(self)}, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Ticket":
        """Raises ValueError for what is not a ticket of this format."""
        found = json.loads(text)
        if not isinstance(found, dict) or found.pop("format", None) != FORMAT:
            raise ValueError("This is not a ticket of a format that is known here.")
        names = {field.name for field in dataclasses.fields(cls)}
        needed = {field.name for field in dataclasses.fields(cls) if field.default is dataclasses.MISSING is field.default_factory}
        if not needed <= set(found) <= names:
            raise ValueError(f"The ticket's fields differ: {', '.join(sorted(set(found) ^ names))}.")
        ticket = cls(**found)
        try:
            frames = [note.frame for note in ticket.edits]
            ordered = sorted(set(frames))
        except TypeError as error:
            raise ValueError("The ticket's further edits cannot be read.") from error
        if frames != ordered:
            raise ValueError("The ticket's painted frames are in no order.")
        return ticket

    def save(self, folder: Path) -> Path:
        """Writes `ticket.json` into a version folder, replacing an earlier one of the same delivery."""
        text = self.to_json().encode("utf-8", errors="surrogateescape")
        final = folder / TICKET_FILE
        with whole_file(final, len(text), replace=True) as temporary:
            temporary.write_bytes(text)
        return final

    @classmethod
    def load(cls, folder: Path) -> "Ticket":
        """Raises OSError or ValueError."""
        return cls.from_json((folder / TICKET_FILE).read_text(encoding="utf-8", errors="surrogateescape"))


def _name_only(value: Any) -> str:
    return Path(str(value)).name

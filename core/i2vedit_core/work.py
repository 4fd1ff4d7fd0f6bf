"""A job's own notes: which delivery it has begun, so that an interrupted job goes on in the same folder."""

import json
from dataclasses import dataclass
from pathlib import Path

from i2vedit_core.delivery.ticket import TICKET_FILE, Ticket
from i2vedit_core.files import whole_file


@dataclass(frozen=True)
class Work:
    """The same folder given again resumes, as long as it is for the same pixels."""

    root: Path

    def claim(self, ticket: Ticket) -> None:
        """Makes the folder this ticket's. The delivery that another edit, plate, model or setting has begun is not taken for this one's."""
        note, identity = self._identity_note, ticket.identity()
        self.root.mkdir(parents=True, exist_ok=True)
        if not note.exists() or note.read_text(encoding="utf-8") != identity:
            self._version_note.unlink(missing_ok=True)
        _write_note(note, identity)

    def decode_frames_of(self, ticket: Ticket) -> int | None:
        """How many frames are decoded at once in the delivery begun here, if that is all in which it differs from this ticket's."""
        try:
            begun, asked = json.loads(self._identity_note.read_text(encoding="utf-8")), json.loads(ticket.identity())
        except (OSError, ValueError):
            return None
        frames = begun["settings"].pop("decode_frames", None)
        asked["settings"].pop("decode_frames", None)
        return frames if begun == asked else None

    def version_folder(self) -> Path | None:
        """The version this job has begun to deliver, if it has and it is still there and nobody else's."""
        if not self._version_note.exists():
            return None
        folder = Path(self._version_note.read_text(encoding="utf-8", errors="surrogateescape"))
        return folder if folder.is_dir() and self._may_be_ours(folder) else None

    def remember_version(self, folder: Path) -> None:
        _write_note(self._version_note, str(folder))

    def _may_be_ours(self, folder: Path) -> bool:
        """A folder is noted before it is made, and between the two somebody else may have made it."""
        if not (folder / TICKET_FILE).exists():
            return True
        try:
            return Ticket.load(folder).identity() == self._identity_note.read_text(encoding="utf-8")
        except (OSError, ValueError):
            return False

    @property
    def _identity_note(self) -> Path:
        return self.root / "identity.txt"

    @property
    def _version_note(self) -> Path:
        return self.root / "version.txt"


def _write_note(path: Path, text: str) -> None:
    encoded = text.encode("utf-8", errors="surrogateescape")
    with whole_file(path, len(encoded), replace=True) as partial:
        partial.write_bytes(encoded)

"""A job's scratch folder: what is expensive to make is kept there as it is made, and found again after an interruption."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from i2vedit_core.delivery.ticket import Ticket
from i2vedit_core.files import whole_file
from i2vedit_core.tensor_files import load_tensors, save_tensors


@dataclass(frozen=True)
class Work:
    """The same folder given again resumes, as long as it is for the same pixels."""

    root: Path

    def claim(self, ticket: Ticket) -> None:
        """Makes the folder this ticket's. What another edit, plate, model or setting left there is not taken for this one's: it goes."""
        note, identity = self.root / "identity.txt", ticket.identity()
        if self.root.is_dir() and (not note.exists() or note.read_text(encoding="utf-8") != identity):
            for left in [*self.root.glob("chunk_????"), note, self._version_note]:
                shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)
        self.root.mkdir(parents=True, exist_ok=True)
        _write_note(note, identity)

    def chunk_folder(self, chunk: int) -> Path:
        folder = self.root / f"chunk_{chunk:04}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def load_trajectory(self, chunk: int) -> Tensor | None:
        """[N + 1, F, C, h, w] float32, or None where it was not finished."""
        file = self._trajectory(chunk)
        return load_tensors(file)["trajectory"] if file.exists() else None

    def save_trajectory(self, chunk: int, trajectory: Tensor) -> None:
        save_tensors(self._trajectory(chunk), {"trajectory": trajectory})

    def version_folder(self) -> Path | None:
        """The version this job has begun to deliver, if it has and it is still there."""
        if not self._version_note.exists():
            return None
        folder = Path(self._version_note.read_text(encoding="utf-8", errors="surrogateescape"))
        return folder if folder.is_dir() else None

    def remember_version(self, folder: Path) -> None:
        _write_note(self._version_note, str(folder))

    @property
    def _version_note(self) -> Path:
        return self.root / "version.txt"

    def _trajectory(self, chunk: int) -> Path:
        return self.chunk_folder(chunk) / "trajectory.safetensors"


def _write_note(path: Path, text: str) -> None:
    encoded = text.encode("utf-8", errors="surrogateescape")
    with whole_file(path, len(encoded), replace=True) as partial:
        partial.write_bytes(encoded)

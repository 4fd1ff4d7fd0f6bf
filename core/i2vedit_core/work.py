"""A job's scratch folder: what is expensive to make is kept there as it is made, and found again after an interruption."""

from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor

from i2vedit_core.files import whole_file


@dataclass(frozen=True)
class Work:
    """The same folder given again resumes."""

    root: Path

    def chunk_folder(self, chunk: int) -> Path:
        folder = self.root / f"chunk_{chunk:04}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def load_trajectory(self, chunk: int) -> Tensor | None:
        """[N + 1, F, C, h, w] float32, or None where it was not finished."""
        file = self._trajectory(chunk)
        return load_file(file)["trajectory"] if file.exists() else None

    def save_trajectory(self, chunk: int, trajectory: Tensor) -> None:
        with whole_file(self._trajectory(chunk), trajectory.nbytes, replace=True) as partial:
            save_file({"trajectory": trajectory.contiguous().cpu()}, partial)

    def version_folder(self) -> Path | None:
        """The version this job has begun to deliver, if it has."""
        note = self.root / "version.txt"
        return Path(note.read_text(encoding="utf-8")) if note.exists() else None

    def remember_version(self, folder: Path) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        text = str(folder).encode("utf-8", errors="surrogateescape")
        with whole_file(self.root / "version.txt", len(text), replace=True) as partial:
            partial.write_bytes(text)

    def _trajectory(self, chunk: int) -> Path:
        return self.chunk_folder(chunk) / "trajectory.safetensors"

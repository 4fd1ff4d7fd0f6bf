"""Every save that counts is kept as it was: the artist paints on in the same file while its job waits."""

import filecmp
import shutil
from pathlib import Path

from i2vedit_client.host.session import SAVE_FILES
from i2vedit_client.roundtrip.folder import Signature, signature


def saves(folder: Path) -> list[Path]:
    """Those that are kept in it, oldest first."""
    return sorted(folder.glob(SAVE_FILES))


def take(folder: Path, picture: Path, expected: Signature | None = None) -> Path | None:
    """A copy of a save under a name that is no version yet; None where the file is not, or no longer, in the expected state.

    Raises OSError.
    """
    copy = folder / f"taking{picture.suffix.lower()}"
    shutil.copyfile(picture, copy)
    return copy if expected is None or signature(picture) == expected else None


def keep(folder: Path, copy: Path) -> Path:
    """Makes a copy the next version, unless it is the last one again. Raises OSError."""
    known = saves(folder)
    if known and known[-1].suffix == copy.suffix and filecmp.cmp(known[-1], copy, shallow=False):
        copy.unlink()
        return known[-1]
    return copy.rename(folder / f"save-{len(known) + 1:04}{copy.suffix}")

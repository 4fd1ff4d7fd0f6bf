"""Every save that counts is kept as it was: the artist paints on in the same file while its job waits."""

import filecmp
import shutil
from pathlib import Path

from i2vedit_client.host.session import Session
from i2vedit_client.roundtrip.folder import Signature, signature


def take(session: Session, picture: Path, expected: Signature | None = None) -> Path | None:
    """A copy of a save under a name that is no version yet; None where the file is not, or no longer, in the expected state.

    Raises OSError.
    """
    copy = session.folder / f"taking{picture.suffix.lower()}"
    shutil.copyfile(picture, copy)
    return copy if expected is None or signature(picture) == expected else None


def keep(session: Session, copy: Path) -> Path:
    """Makes a copy the next version, unless it is the last one again. Raises OSError."""
    known = session.saves()
    if known and known[-1].suffix == copy.suffix and filecmp.cmp(known[-1], copy, shallow=False):
        copy.unlink()
        return known[-1]
    return copy.rename(session.folder / f"save-{len(known) + 1:04}{copy.suffix}")

"""What a container says of a clip's colours, against what the bitstream in it says: the bitstream wins, and the person is told.

Decoders go by the bitstream, and so do we. Hosts often go by the container (the `colr` box of ISO 14496-12 and QuickTime), and show it
otherwise.
"""

import struct
from pathlib import Path
from typing import BinaryIO

from i2vedit_core.media import tags
from i2vedit_core.media.probe import ClipInfo

HIGH_RANGE = {"smpte2084": "PQ", "arib-std-b67": "HLG"}
LARGEST_INDEX_BYTES = 256 * 2**20

_BOX = struct.Struct(">I4s")
_LARGE = struct.Struct(">Q")
_CODES = struct.Struct(">HHH")


def color_notices(clip: ClipInfo) -> tuple[str, ...]:
    """What the artist should know of the clip's colour tags; nothing where somebody has named its space."""
    if clip.named_space or "mov" not in clip.container.split(","):
        return ()
    name, space = clip.path.name, clip.color_space
    said = container_space(clip.path)
    if said is not None and said != space:
        return (
            f"The container of '{name}' says '{said}', its bitstream '{space}': the bitstream counts. If that is wrong, give --clip-color.",
        )
    if said is None and clip.transfer in HIGH_RANGE:
        return (
            f"The bitstream of '{name}' is {HIGH_RANGE[clip.transfer]}, and its container does not say so: the bitstream counts. "
            "A host that shows it as SDR needs to be told.",
        )
    return ()


def container_space(path: Path) -> str | None:
    """The OCIO name of what the container's first colour box says; None where it says nothing."""
    try:
        with path.open("rb") as file:
            index = _movie_box(file)
    except OSError:
        return None
    for kind in (b"colrnclx", b"colrnclc"):
        place = index.find(kind)
        if place >= 0 and place + len(kind) + _CODES.size <= len(index):
            primaries, transfer, _ = _CODES.unpack_from(index, place + len(kind))
            if transfer in tags.TRANSFERS:
                return tags.ocio_space(tags.PRIMARIES.get(primaries, tags.UNSPECIFIED), tags.TRANSFERS[transfer])
    return None


def _movie_box(file: BinaryIO) -> bytes:
    """The contents of `moov`; empty where there is none, or none that can be right."""
    end = file.seek(0, 2)
    file.seek(0)
    while len(head := file.read(_BOX.size)) == _BOX.size:
        size, kind = _BOX.unpack(head)
        used = _BOX.size
        if size == 1:
            large = file.read(_LARGE.size)
            if len(large) < _LARGE.size:
                return b""
            (size,), used = _LARGE.unpack(large), used + _LARGE.size
        if kind == b"moov":
            return file.read(min(max(size - used, 0), LARGEST_INDEX_BYTES))
        if size < used or file.tell() + size - used > end:
            return b""
        file.seek(size - used, 1)
    return b""

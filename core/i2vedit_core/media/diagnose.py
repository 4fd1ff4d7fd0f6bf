"""Why a file does not open as a clip, in the artist's words. Looks at a few bytes only."""

import os
from pathlib import Path

PICTURES = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"II*\0": "a TIFF picture",
    b"MM\0*": "a TIFF picture",
    b"\x76\x2f\x31\x01": "an EXR picture",
    b"8BPS": "a Photoshop file",
    b"GIF8": "a GIF picture",
    b"BM": "a BMP picture",
    b"SDPX": "a DPX picture",
    b"XPDS": "a DPX picture",
}
HEAD_BYTES = 4096
MAX_BOXES = 10_000


WHY_NO_PICTURE = {
    "empty": "is empty (0 bytes); render or copy the frame again",
    "not_a_picture": "is not a picture of the kinds that can be a plate (EXR, DPX, TIFF, PNG, JPEG)",
    "truncated": "is cut off, damaged or still being written; render or copy the frame again",
    "unreadable": "cannot be read: its header is damaged; render or copy the frame again",
    "crashed": "is damaged: its reader gave up; render or copy the frame again",
    "changed": "has changed since the clip was opened; start again once it is finished",
    "too_large": "is too large ({detail}); render it smaller",
    "no_rgb": "has no R, G and B channels (but {detail}); render the picture into an RGB layer",
    "deep": "holds deep pixels; flatten it first",
    "luminance_chroma": "stores luminance and chroma (Y, RY, BY); render it as RGB",
    "sample_type": "holds samples of the kind {detail}; render it as half or float",
}


def why_no_picture(kind: str, detail: str, path: Path) -> str:
    """What is wrong with a picture of a sequence, to follow its name in a sentence. `kind` is its reader's word."""
    if kind == "unreadable" and path.is_file() and not os.access(path, os.R_OK):
        return "cannot be opened; check its permissions"
    return WHY_NO_PICTURE[kind].format(detail=detail or "more than fits into memory")


def _looks_like_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        # A character cut in two by the end of the sample is still text.
        if error.start < len(head) - 4:
            return False
        text = head[: error.start].decode("utf-8")
    return bool(text) and all(c.isprintable() or c in "\r\n\t\f" for c in text)


def _has_moov(path: Path) -> bool:
    """Whether an MP4 or QuickTime file has its index: a walk over the top-level boxes."""
    size = path.stat().st_size
    with path.open("rb") as file:
        position = 0
        for _ in range(MAX_BOXES):
            file.seek(position)
            header = file.read(16)
            if len(header) < 8:
                return False
            if header[4:8] == b"moov":
                return True
            length = int.from_bytes(header[:4], "big")
            if length == 1:
                length = int.from_bytes(header[8:16], "big")
            if length < 8 or position + length > size:
                return False
            position += length
    return False


def why_unreadable(path: Path) -> str:
    """One sentence about a file that exists and does not open as a clip."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        return f"'{path.name}' is empty (0 bytes); copy or export the clip again."
    for signature, kind in PICTURES.items():
        if head.startswith(signature):
            return f"'{path.name}' is {kind}, not a movie, and its name does not say so; give a sequence its right ending."
    if _looks_like_text(head):
        return f"'{path.name}' is a text file, not a movie; give the movie file itself."
    if head[4:8] in (b"ftyp", b"mdat", b"wide", b"free", b"skip") and not _has_moov(path):
        return f"'{path.name}' has no index ('moov'): its recording, export or copy was broken off; make it again."
    return f"'{path.name}' cannot be read as a movie; it is damaged or of a kind that is not supported. Export it as MOV, MP4, MXF or MKV."

"""Why a file does not open as a clip, in the artist's words. Looks at a few bytes only."""

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
            return f"'{path.name}' is {kind}, not a movie; give a movie file as the clip, and pictures as the edited frame."
    if _looks_like_text(head):
        return f"'{path.name}' is a text file, not a movie; give the movie file itself."
    if head[4:8] in (b"ftyp", b"mdat", b"wide", b"free", b"skip") and not _has_moov(path):
        return f"'{path.name}' has no index ('moov'): its recording, export or copy was broken off; make it again."
    return f"'{path.name}' cannot be read as a movie; it is damaged or of a kind that is not supported. Export it as MOV, MP4, MXF or MKV."

"""Where a plate was shot, and by whom, is not told by what is delivered."""

import subprocess
from dataclasses import replace
from pathlib import Path

import OpenImageIO as oiio
import pytest
from tests.core.delivery.test_views import deliver

from i2vedit_core.delivery.contact_sheet import make_contact_sheet
from i2vedit_core.delivery.preview import make_preview
from i2vedit_core.delivery.ticket import Ticket
from i2vedit_core.media.ffmpeg import find_ffmpeg
from i2vedit_core.media.still import export_frame
from i2vedit_core.shot import Shot

PLACE = "+48.8577+002.2950+035.000/"
PERSON = "Somebody Filming"
TAGS = {
    "location": PLACE,
    "com.apple.quicktime.location.ISO6709": PLACE,
    "artist": PERSON,
    "comment": PERSON,
    "com.apple.quicktime.model": "Camera Serial 8812",
}


@pytest.fixture
def located(shot: Shot, tmp_path: Path) -> Shot:
    """The same shot from a file that knows its place."""
    path = tmp_path / "located.mov"
    tags = [part for name, value in TAGS.items() for part in ("-metadata", f"{name}={value}")]
    copy = ["-map", "0:v", "-c", "copy", "-movflags", "use_metadata_tags"]
    subprocess.run([find_ffmpeg(), "-v", "error", "-i", f"file:{shot.clip.path}", *copy, *tags, str(path)], check=True)
    assert PLACE.encode() in path.read_bytes()
    return Shot.open(path, shot.first, shot.last)


def test_no_place_and_no_person_in_anything_that_is_delivered(located: Shot, ticket: Ticket, tmp_path: Path) -> None:
    folder = deliver(tmp_path / "out", located, replace(ticket, plate_path=str(located.clip.path)))
    make_preview(folder, located)
    make_contact_sheet(folder, located, [located.first])
    for name in ("frame.tif", "frame.png", "frame.exr"):
        export_frame(located.clip, 2, folder / name)
    files = sorted(folder.iterdir())
    assert len(files) == len(located) + 3 + 3
    for file in files:
        content = file.read_bytes()
        assert not [word for word in (PLACE, "48.85", PERSON, "8812") if word.encode() in content], file.name
        if file.suffix not in (".json", ".mp4"):
            source = oiio.ImageInput.open(str(file))
            assert source is not None
            told = {attribute.name: str(attribute.value) for attribute in source.spec().extra_attribs}
            source.close()
            assert not [name for name in told if "gps" in name.lower() or "location" in name.lower()], file.name
            assert not [value for value in told.values() if "48.85" in value or PERSON in value], file.name

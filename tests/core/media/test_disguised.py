"""Files that would make ffmpeg read something else: refused when they are probed, and again when they are decoded."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from tests.media import numbered_clip, read_number, shared_media

from i2vedit_core.errors import BridgeError, Reason
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.media.ffmpeg import file_url, find_ffmpeg
from i2vedit_core.media.limits import Limits, impose, limits
from i2vedit_core.media.probe import probe
from i2vedit_core.media.still import open_still

DISGUISES = {
    "HLS": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{url}\n#EXT-X-ENDLIST\n",
    "HLS to the network": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
    "HLS with a key": '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-KEY:METHOD=AES-128,URI="{url}"\n#EXTINF:1,\n{url}\n#EXT-X-ENDLIST\n',
    "concat": "ffconcat version 1.0\nfile '{name}'\n",
    "concat of subfile": "ffconcat version 1.0\nfile 'subfile,,start,0,end,0,,:{path}'\n",
    "DASH": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT1S"><Period>'
    '<AdaptationSet mimeType="video/mp4"><Representation id="0" bandwidth="1"><BaseURL>{name}</BaseURL></Representation></AdaptationSet>'
    "</Period></MPD>",
    "SDP": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    "AviSynth": 'AviSource("{path}")\n',
    "metadata": ";FFMETADATA1\ntitle=x\n",
}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return numbered_clip(tmp_path_factory.mktemp("real") / "real.mp4", 3)


@pytest.mark.parametrize("ending", ["mp4", "m3u8"])
@pytest.mark.parametrize("kind", DISGUISES)
def test_a_script_is_no_clip_whatever_it_is_called(tmp_path: Path, real: Path, kind: str, ending: str) -> None:
    shutil.copy(real, tmp_path / "real.mp4")
    path = tmp_path / f"clip.{ending}"
    path.write_text(DISGUISES[kind].format(url=file_url(real), name="real.mp4", path=real))
    with pytest.raises(BridgeError) as caught:
        probe(path)
    assert caught.value.reason is Reason.CLIP_UNREADABLE
    assert "movie" in caught.value.sentence


@pytest.mark.parametrize("kind", ["HLS", "concat"])
def test_a_clip_that_is_exchanged_after_it_was_probed(tmp_path: Path, real: Path, kind: str) -> None:
    shutil.copy(real, tmp_path / "real.mp4")
    path = tmp_path / "clip.mp4"
    path.write_text(DISGUISES[kind].format(url=file_url(real), name="real.mp4", path=real))
    with pytest.raises(BridgeError) as caught:
        list(decode_frames(replace(probe(real), path=path), 0, 0))
    assert caught.value.reason is Reason.CLIP_UNREADABLE


def test_the_disguises_would_work_without_the_allowlists(tmp_path: Path, real: Path) -> None:
    """Or the tests above could not fail."""
    shutil.copy(real, tmp_path / "real.mp4")
    path = tmp_path / "clip.mp4"
    path.write_text(DISGUISES["concat"].format(name="real.mp4"))
    command = [find_ffmpeg(), "-v", "error", "-i", f"file:{path}", "-frames:v", "1", "-f", "null", "-"]
    assert subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0


@pytest.mark.parametrize(
    "name", ["a:b.mp4", "http:x.mp4", "concat:a|b.mp4", "frame_%03d.mp4", "data:,x.mp4", "-i.mp4", "a?b#c.mp4", "@list.mp4"]
)
def test_a_name_is_never_a_protocol_or_a_pattern(tmp_path: Path, real: Path, name: str) -> None:
    path = tmp_path / name
    try:
        shutil.copy(real, path)
    except OSError:
        pytest.skip("this system has no such names")
    (picture,) = decode_frames(probe(path), 1, 1)
    assert read_number(picture) == 1


@pytest.mark.media
def test_every_corrupt_file_is_taken_or_refused_with_a_sentence() -> None:
    """Each as a clip and as a picture: nothing crashes, nothing hangs."""
    for path in sorted(shared_media("corrupt").iterdir()):
        for read in (lambda each: list(decode_frames(probe(each), 0, 0)), open_still):
            try:
                read(path)
            except BridgeError as error:
                assert path.name in error.sentence and "Traceback" not in error.sentence


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("I2VEDIT_MEDIA_LIMITS", "{}")
    assert limits() == Limits()


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (Limits(clip_frames=2), "has 3 frames, 2 are supported"),
        (Limits(clip_hours=1 / 36000), "lasts 3.47e-05 hours"),
        (Limits(side_pixels=95), "is 96x64; clips of up to 95 pixels a side"),
        (Limits(clip_megapixels=0), "0 megapixels"),
        (Limits(reader_memory_bytes=2**20), "its reader gave up"),
    ],
)
def test_limits_that_were_chosen_refuse_with_a_sentence(few: None, real: Path, chosen: Limits, words: str) -> None:
    probe(real)
    impose(chosen)
    with pytest.raises(BridgeError) as caught:
        probe(real)
    assert words in caught.value.sentence

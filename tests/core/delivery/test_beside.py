"""What lies beside the EXR, as other readers see it."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image
from tests.core.delivery.delivered import ORANGE, whole_delivery
from tests.core.delivery.test_verify import look, plain_ticket
from tests.media import numbered_clip, read_number

from i2vedit_core.delivery.beside import beside_paths, write_beside
from i2vedit_core.delivery.delivered import seen_frames
from i2vedit_core.delivery.finding import Check
from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.media.probe import probe
from i2vedit_core.settings import Alpha, SideFormat
from i2vedit_core.shot import Shot


def beside(directory: Path, shot: Shot, side: SideFormat, **settings: Any) -> tuple[Path, list[Path]]:
    """A whole delivery with one format beside it, and that format's files."""
    folder = whole_delivery(directory, shot, plain_ticket(shot), also=(side,), **settings)
    steps: list[tuple[int, int]] = []
    write_beside(folder, shot, side, lambda step, of: steps.append((step, of)))
    assert steps == [(step, 6) for step in range(6)]
    return folder, list(beside_paths(folder / folder.name, side, shot.first, shot.last).values())


def test_prores_has_rate_size_colour_timecode_and_alpha(tmp_path: Path, shot: Shot) -> None:
    folder, (movie,) = beside(tmp_path, shot, SideFormat.PRORES)
    assert movie.name == f"{folder.name}.mov"
    clip = probe(movie)
    assert (clip.codec, clip.frame_count, clip.rate) == ("prores", 6, shot.clip.rate) and clip.bit_depth >= 10
    assert (clip.width, clip.height, clip.pixel_aspect) == (96, 64, shot.clip.pixel_aspect)
    assert (clip.matrix, clip.primaries, clip.transfer, clip.full_range) == ("bt709", "bt709", "bt709", False)
    assert clip.has_alpha and clip.start_timecode == "01:00:00;00"
    with av.open(str(movie)) as container:
        assert container.streams.video[0].codec_context.codec_tag == "ap4h"
    for seen, picture in zip(seen_frames(folder, shot), decode_frames(clip, 0, 5), strict=True):
        assert read_number(picture[:, :, :3]) == seen.frame
        np.testing.assert_allclose(picture[:, :, 3], 1, atol=1e-3)
        assert np.abs(picture[:, :, :3] - seen.result).mean() < 4e-3


def test_a_patch_keeps_its_matte_in_prores(tmp_path: Path, shot: Shot) -> None:
    _, (movie,) = beside(tmp_path, shot, SideFormat.PRORES, alpha=Alpha.MATTE)
    picture = list(decode_frames(probe(movie), 0, 5))[-1]
    assert picture[0, 0, 3] < 2e-3 and picture[50, 79, 3] > 0.99
    np.testing.assert_allclose(picture[48, 70, :3], ORANGE, atol=0.03)


def test_png_has_sixteen_bits_and_its_colour_code(tmp_path: Path, shot: Shot) -> None:
    folder, pictures = beside(tmp_path, shot, SideFormat.PNG)
    assert [path.name for path in pictures] == [f"{folder.name}.{number:04}.png" for number in range(2, 8)]
    header = pictures[0].read_bytes()[:200]
    place = header.index(b"cICP") + 4
    assert tuple(header[place : place + 4]) == (1, 1, 0, 1)
    for path, seen in zip(pictures, seen_frames(folder, shot), strict=True):
        with Image.open(path) as picture:
            assert picture.format == "PNG" and picture.size == (96, 64)
        assert header[24:26] == b"\x10\x06", "sixteen bits, RGB and alpha"
        (decoded,) = _sixteen_bits(path)
        np.testing.assert_allclose(decoded[:, :, :3], np.clip(seen.result, 0, 1), atol=1 / 65535)


def _sixteen_bits(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgba64le").astype(np.float64) / 65535 for frame in container.decode(video=0)]


def test_an_mp4_plays_everywhere(tmp_path: Path, shot: Shot) -> None:
    _, (movie,) = beside(tmp_path, shot, SideFormat.MP4)
    clip = probe(movie)
    assert (clip.codec, clip.pixel_format, clip.frame_count, clip.rate) == ("h264", "yuv420p", 6, shot.clip.rate)
    assert (clip.width, clip.height, clip.start_timecode) == (102, 64, "01:00:00;00")
    assert [read_number(picture) for picture in decode_frames(clip, 0, 5)] == list(range(2, 8))


@pytest.mark.parametrize("side", list(SideFormat))
def test_verify_misses_what_was_asked_for(tmp_path: Path, shot: Shot, side: SideFormat) -> None:
    folder, paths = beside(tmp_path, shot, side)
    assert look(folder, None, None)[1].is_true
    paths[-1].write_bytes(paths[-1].read_bytes()[:300])
    assert look(folder, None, None)[0][0].check is Check.SIDE
    paths[-1].unlink()
    assert "is missing" in look(folder, None, None)[0][0].sentence


def test_verify_counts_the_frames_of_a_movie(tmp_path: Path, shot: Shot) -> None:
    folder, (movie,) = beside(tmp_path, shot, SideFormat.MP4)
    numbered_clip(movie, 1)
    (finding, *_), _ = look(folder, None, None)
    assert finding.check is Check.SIDE and finding.sentence.endswith("has another number of frames: 1 instead of 6.")


def test_a_stopped_writer_leaves_no_half_movie_and_goes_on(tmp_path: Path, shot: Shot) -> None:
    folder = whole_delivery(tmp_path, shot, plain_ticket(shot))

    def stop(step: int, of: int) -> None:
        if step == 2:
            raise BridgeError(Code.CANCELLED, Reason.CANCELLED, "The job was cancelled.")

    for side in SideFormat:
        with pytest.raises(BridgeError):
            write_beside(folder, shot, side, stop)
    assert not list(folder.glob("*.mov")) and not list(folder.glob("*.mp4")) and not list(folder.glob(".*"))
    assert len(list(folder.glob("*.png"))) == 2, "finished frames stay"
    write_beside(folder, shot, SideFormat.PNG, lambda step, of: None)
    assert len(list(folder.glob("*.png"))) == 6

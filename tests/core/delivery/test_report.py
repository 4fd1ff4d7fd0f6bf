"""The report: what it says of joins that are seen, of colours that drift and of frames that want painting."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.media import LOSSLESS, encode

from i2vedit_core.delivery.headers import Heard, hear
from i2vedit_core.delivery.report import APART, REPORT_FILE, SUGGESTIONS, drift_of, suggest, write_report
from i2vedit_core.delivery.seams import Parts, find_seams
from i2vedit_core.delivery.sequence import SequenceWriter
from i2vedit_core.delivery.ticket import Ticket
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.quality import FrameQuality
from i2vedit_core.settings import DeliverySettings
from i2vedit_core.shot import Shot
from i2vedit_core.synthetic import Split, lingering, random_scene, render

SIDE, FRAMES = 64, 24
JOIN = 13
EVEN = np.zeros(FRAMES, np.float32)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Shot:
    frames = render(lingering(random_scene(Split.TRAINING, 2)), SIDE, SIDE, range(FRAMES))
    return Shot.open(encode(tmp_path_factory.mktemp("clip") / "drawn.mkv", np.rint(frames * 255).astype(np.uint8), LOSSLESS))


def _deliver(folder: Path, shot: Shot, ticket: Ticket, jumps: np.ndarray, says: dict[str, float] | None = None) -> Path:
    """Every plate with the lower half brighter by a tenth and by its `jumps`."""
    folder.mkdir(parents=True)
    matte = np.zeros((SIDE, SIDE), np.float32)
    matte[SIDE // 2 :] = 1
    with SequenceWriter(folder, shot.clip, DeliverySettings(folder.parent), replace(ticket, delivery={"alpha": "plate"})) as writer:
        for frame, plate in enumerate(decode_frames(shot.clip, shot.first, shot.last), start=shot.first):
            new = np.clip(plate + 0.1 + jumps[frame], 0, 1).astype(np.float32)
            writer.write(frame, plate, new, matte, {"matte_area": 0.5, **(says or {})})
    return folder


def test_a_jump_at_a_join_is_a_seam_and_the_same_colour_throughout_is_none(drawn: Shot, ticket: Ticket, tmp_path: Path) -> None:
    jumps = EVEN.copy()
    jumps[JOIN:] = 0.06
    parts = Parts((0,), (JOIN, 20))
    found = {seam.frame: seam for seam in find_seams(_deliver(tmp_path / "a", drawn, ticket, jumps), drawn, parts)}
    assert list(found) == [0, JOIN, 20] and [seam.key for seam in found.values()] == [True, False, False]
    seam, other = found[JOIN], found[20]
    assert seam.seam_ratio is not None and seam.seam_ratio > 1.5 and seam.delta_e is not None and seam.delta_e > 2
    assert other.seam_ratio is not None and other.seam_ratio < 1.5 and other.delta_e is not None and other.delta_e < 1
    even = list(find_seams(_deliver(tmp_path / "b", drawn, ticket, EVEN), drawn, parts))
    assert all(seam.seam_ratio is not None and seam.seam_ratio < 1.5 for seam in even)


def test_a_painted_frame_in_the_middle_meets_both_its_neighbours(drawn: Shot, ticket: Ticket, tmp_path: Path) -> None:
    jumps = EVEN.copy()
    jumps[:10] = 0.08
    (seam,) = find_seams(_deliver(tmp_path / "a", drawn, ticket, jumps), drawn, Parts((10,)))
    assert seam.key and seam.frame == 10 and seam.seam_ratio is not None and seam.seam_ratio > 1.5


def test_nothing_is_compared_across_a_cut(drawn: Shot, ticket: Ticket, tmp_path: Path) -> None:
    jumps = EVEN.copy()
    jumps[JOIN:] = 0.3
    folder = _deliver(tmp_path / "a", drawn, ticket, jumps)
    found = list(find_seams(folder, drawn, Parts((0, JOIN), (JOIN,), cuts=(JOIN,))))
    assert all(seam.seam_ratio is None or seam.seam_ratio < 1.5 for seam in found)
    report = write_report(folder, drawn, Parts((0, JOIN), (JOIN,), cuts=(JOIN,)))
    assert [note.frame for note in report.notes if note.severity == "note"] == [JOIN]


def test_where_nothing_is_edited_there_is_no_seam_to_measure(drawn: Shot, ticket: Ticket, tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    with SequenceWriter(folder, drawn.clip, DeliverySettings(tmp_path), replace(ticket, delivery={"alpha": "plate"})) as writer:
        for frame, plate in enumerate(decode_frames(drawn.clip, 0, drawn.last)):
            writer.write(frame, plate, plate, np.zeros((SIDE, SIDE), np.float32))
    report = write_report(folder, drawn, Parts((0,), (JOIN,)))
    assert all(join.seam_ratio is None and join.delta_e is None for join in report.joins)
    assert report.worst_join is None and not report.suggested_keyframes and report.drift_delta_e is None


def test_the_file_says_what_the_headers_say(drawn: Shot, ticket: Ticket, tmp_path: Path) -> None:
    says = {"matte_flicker": 0.01, "confidence": 0.25, "flow_error": 0.125}
    jumps = EVEN.copy()
    jumps[JOIN:] = 0.2
    folder = _deliver(tmp_path / "a", drawn, ticket, jumps, says)
    report = write_report(folder, drawn, Parts((0,), (JOIN,)))
    found = json.loads((folder / REPORT_FILE).read_text(encoding="utf-8"))
    assert set(found) == {"format", "frames", "joins", "drift_delta_e", "suggested_keyframes", "notes"} and found["format"] == 1
    assert found["frames"][0] == {"frame": 0, "key": True, "matte_area": 0.5, "flicker": None, "flow_error": None, "confidence": 1.0}
    assert found["frames"][5] == {"frame": 5, "key": False, "matte_area": 0.5, "flicker": 0.01, "flow_error": 0.125, "confidence": 0.25}
    assert [set(join) for join in found["joins"]] == [{"frame", "key", "seam_ratio", "delta_e"}] * 2
    assert len(found["frames"]) == FRAMES and [each["frame"] for each in found["suggested_keyframes"]] == [APART]
    assert report.worst_join is not None and report.worst_join.frame == JOIN
    (warning,) = (note for note in found["notes"] if note["severity"] == "warning")
    assert warning["frame"] == JOIN and "times as much" in warning["text"]


def test_headers_carry_colours_and_anything_else_is_nothing_heard(drawn: Shot, ticket: Ticket, tmp_path: Path) -> None:
    folder, plate = tmp_path / "a", next(decode_frames(drawn.clip, 0, 0))
    folder.mkdir()
    with SequenceWriter(folder, drawn.clip, DeliverySettings(tmp_path), ticket) as writer:
        matte = np.zeros((SIDE, SIDE), np.float32)
        writer.write(0, plate, plate, matte, {"model_outside": (0.1, 0.2, 0.3), "source_outside": (0.4, 0.5, 0.6), "confidence": 0.5})
        writer.write(1, plate, plate, matte, {"confidence": "high", "model_outside": (0.1, 0.2)})
    heard = hear(writer.path(0))
    assert heard is not None and heard.model_outside == pytest.approx((0.1, 0.2, 0.3)) and heard.confidence == 0.5
    odd = hear(writer.path(1))
    assert odd is not None and odd.confidence is None and odd.model_outside is None
    assert hear(folder / "none.exr") is None


def _frames(confidence: Sequence[float | None], keys: tuple[int, ...] = (0,)) -> list[FrameQuality]:
    return [FrameQuality(frame, frame in keys, 0.1, 0.0, 0.0, value) for frame, value in enumerate(confidence)]


def test_a_sure_shot_and_a_short_doubt_suggest_nothing() -> None:
    assert suggest(_frames([0.9] * 50)) == ()
    assert suggest(_frames([0.9] * 20 + [0.1] * 5 + [0.9] * 20)) == ()
    assert suggest(_frames([0.9] * 5 + [None] * 40)) == ()


def test_the_least_sure_frame_of_a_lasting_doubt_is_suggested() -> None:
    (found,) = suggest(_frames([0.9] * 20 + [0.4, 0.3, 0.2, 0.1, 0.2, 0.3, 0.4] + [0.9] * 20))
    assert found.frame == 23 and "10 %" in found.why


def test_suggestions_are_few_and_apart_and_not_beside_what_is_painted() -> None:
    found = suggest(_frames([0.1] * 100, keys=(0, 50)))
    frames = [each.frame for each in found]
    assert len(frames) == SUGGESTIONS and frames == sorted(frames)
    assert all(abs(one - other) >= APART for one in frames for other in (*frames, 0, 50) if one != other)
    assert suggest(_frames([0.1] * APART)) == ()


def test_an_error_of_colour_that_stays_is_no_drift_and_one_that_grows_is() -> None:
    source = (0.4, 0.4, 0.4)

    def heard(errors: list[float]) -> dict[int, Heard]:
        return {frame: Heard(0.1, None, None, None, (0.4 + errors[frame // 10], 0.4, 0.4), source) for frame in range(1, 10 * len(errors))}

    shot, parts = _shot(40), Parts((0,), (10, 20, 30))
    assert drift_of(shot, parts, heard([0.02] * 4)) == pytest.approx(0, abs=1e-9)
    small, large = drift_of(shot, parts, heard([0, 0.01, 0.02, 0.01])), drift_of(shot, parts, heard([0, 0.02, 0.05, 0.02]))
    assert small is not None and large is not None and 0 < small < large
    assert drift_of(shot, Parts((0,)), heard([0.02] * 4)) is None


def _shot(frames: int) -> Shot:
    class _Bare:
        first, last = 0, frames - 1

    return _Bare()  # type: ignore[return-value]

"""What hosts run, against a real server with a stand-in for the method."""

import json
import re
import shutil
import sys
import time
from fractions import Fraction
from pathlib import Path

import pytest
from tests.client.saving import by_rename, paint
from tests.media import encode, numbered_frame

from i2vedit.v1 import job_pb2
from i2vedit_client.errors import BadInput, ClientError
from i2vedit_client.host.clip import HostClip
from i2vedit_client.host.frames import other_frames, session_name
from i2vedit_client.host.placement import described, placement
from i2vedit_client.host.session import Media, Request, Session, Settings
from i2vedit_client.host.timing import TimingError, grid

HERE = Path(__file__).parent
FRAMES = 6
FAILING, WAITING = 1, 2


@pytest.fixture
def ask(studio, clip, model, tmp_path):
    """`begin` with a request of this host's clip; further fields of the clip by keyword."""

    def begin(host="resolve", settings=None, seconds=120, opens=False, **more):
        request = {
            "host": host,
            "project": str(tmp_path),
            "item": "item-7",
            "clip": {"path": str(clip), "name": "A001", "timeline_rate": "24", "record_start": 86400, **more},
            "settings": {"model": str(model), "out": str(tmp_path / "out"), **(settings or {})},
        }
        path = tmp_path / "request.json"
        path.write_text(json.dumps(request))
        return studio("host", "begin", path, *(["--open"] if opens else []), "--json", seconds=seconds)

    return begin


def wait_for(read, seconds=60):
    deadline = time.monotonic() + seconds
    while not (found := read()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return found


def status_when(path, *events):
    """The status file, read as a host reads it, once it says one of these events."""

    def read():
        status = json.loads(Path(path).read_text()) if Path(path).exists() else {}
        return status if status.get("event") in events else None

    return wait_for(read)


def test_a_clip_goes_from_begin_to_placement(studio, ask, edited):
    begun = ask(record_count=4, left_offset=1).last
    assert begun["event"] == "succeeded" and begun["range"] == [1, 4] and begun["source_frame"] == 1 and begun["is_new"]
    frame = Path(begun["frame_file"])
    assert frame.name == "shot_f0001-Edit.tif" and frame.read_bytes()[:2] in (b"II", b"MM")
    assert begun["shot"].startswith("shots/") and begun["preparation_job"].startswith("jobs/")

    submitted = studio("host", "submit", begun["session"], "--edited", edited, "--json").last
    assert submitted["event"] == "succeeded" and submitted["job"].startswith("jobs/")
    # From here on the host starts nothing: a process of ours keeps the file fresh.
    done = status_when(begun["status_file"], "succeeded")
    placed = studio("host", "collect", begun["session"], "--json").last["placement"]
    assert placed == done["placement"]
    assert (placed["first_number"], placed["count"], placed["skip"], placed["grid"]) == (1, 4, 0, "media")
    assert (placed["record_start"], placed["record_count"], placed["rate"]) == (86400, 4, "24/1")
    files = [Path(placed["directory"]) / (placed["pattern"] % number) for number in range(1, 5)]
    assert all(file.is_file() for file in files)


def test_a_host_that_was_closed_finds_its_jobs_again(studio, ask, edited, tmp_path):
    begun = ask(settings={"seed": WAITING}).last
    studio("host", "submit", begun["session"], "--edited", edited, "--json")
    # The host is opened again: all that it knows is its own name and the project's.
    (found,) = studio("host", "poll", "--host", "resolve", "--project", tmp_path, "--json").last["sessions"]
    assert found["session"] == begun["session"] and found["item"] == "item-7" and found["event"] in ("queued", "running")
    told = studio("host", "poll", begun["session"], "--json").last
    assert told["event"] == "succeeded" and told["state"] in ("queued", "running"), "the call went well, whatever the job does"
    again = ask(settings={"seed": WAITING}).last
    assert again["session"] == begun["session"] and not again["is_new"]
    (tmp_path / "out" / "go").touch()
    assert status_when(begun["status_file"], "succeeded")["placement"]["version"] == "shot_v001"
    assert studio("host", "poll", "--host", "blender", "--project", tmp_path, "--json").last["sessions"] == []


def test_a_session_without_a_job_has_begun(studio, ask, tmp_path):
    begun = ask(host="other").last
    assert not Path(begun["status_file"]).exists()
    told = studio("host", "poll", begun["session"], "--json").last
    assert (told["event"], told["state"], told["session"]) == ("succeeded", "begun", begun["session"])
    (listed,) = studio("host", "poll", "--host", "other", "--project", tmp_path, "--json").last["sessions"]
    assert listed["event"] == "begun"
    refused = studio("host", "poll", "--follow", "--json")
    assert refused.code == 2 and "SESSION" in refused.last["message"]


def test_pictures_go_from_begin_to_placement(studio, ask, pictures, tmp_path):
    """Two of six, which are called by the numbers in their names."""
    begun = ask(path=str(pictures), left_offset=1, record_count=2, settings={"handles": 2}).last
    assert begun["range"] == [1001, 1005] and begun["source_frame"] == 1002
    assert Path(begun["frame_file"]).name == "shot_f1002-Edit.tif"
    painted = paint(Path(begun["frame_file"]), tmp_path / "painted.tif", 0.5)
    studio("host", "submit", begun["session"], "--edited", painted, "--json")
    placed = status_when(begun["status_file"], "succeeded")["placement"]
    assert (placed["first_number"], placed["count"], placed["skip"], placed["take"]) == (1001, 5, 1, 2)
    assert placed["start_shift_seconds"] == 0
    assert all((Path(placed["directory"]) / (placed["pattern"] % number)).is_file() for number in range(1001, 1006))


def test_pictures_are_one_clip_however_they_are_named(ask, pictures, tmp_path):
    named = (pictures, pictures.parent, pictures.parent / "shot.1003.png", pictures.parent / "shot.[1001-1006].png")
    begun = [ask(path=str(path)).last for path in named]
    assert {(each["session"], each["frame_file"]) for each in begun} == {(begun[0]["session"], begun[0]["frame_file"])}
    assert begun[0]["range"] == [1001, 1006]


def test_painting_is_never_overwritten(studio, ask):
    frame = Path(ask().last["frame_file"])
    frame.write_bytes(b"painted")
    assert not ask().last["is_new"]
    assert frame.read_bytes() == b"painted"


def test_the_frame_under_the_playhead_is_the_one_to_paint(ask):
    first, later = ask().last, ask(playhead="01:00:00:03").last
    assert (first["source_frame"], later["source_frame"]) == (0, 3)
    assert [Path(begun["frame_file"]).name for begun in (first, later)] == ["shot_f0000-Edit.tif", "shot_f0003-Edit.tif"]
    assert later["session"] != first["session"] and later["range"] == first["range"] == [0, FRAMES - 1]
    assert Path(first["frame_file"]).read_bytes() != Path(later["frame_file"]).read_bytes()
    assert ask(playhead=86403).last["session"] == later["session"]


@pytest.mark.parametrize("playhead", ["01:00", 3.5, True, "01:00:00:30"])
def test_a_playhead_that_is_none_is_refused(ask, playhead):
    outcome = ask(playhead=playhead)
    assert outcome.code == 2 and outcome.last["code"] == "INVALID_ARGUMENT"


def painted_session(folder, frame, saves, record_start=86400):
    clip = HostClip("/plates/a.mov", "A001", Fraction(24), record_start, 50)
    request = Request("resolve", clip, Settings(), frame=frame)
    session = Session(folder / f"{frame:012x}", request, Media(Fraction(24), 100, "", ""), folder / f"a_f{frame:04}-Edit.tif")
    session.save()
    session.edited.touch()
    for number in range(saves):
        (session.folder / f"save-{number + 1:04}.tif").touch()
    return session


def test_every_job_of_a_clip_carries_all_its_painted_frames(tmp_path, monkeypatch):
    monkeypatch.setenv("I2VEDIT_DATA_DIR", str(tmp_path))
    sessions = {frame: painted_session(tmp_path / "hosts", frame, saves) for frame, saves in ((0, 2), (7, 0), (40, 1), (20, 3))}
    painted_session(tmp_path / "hosts", 21, 1, record_start=90000)
    others = other_frames(sessions[20])
    assert [(Path(painted.path).name, painted.frame) for painted in others] == [("save-0002.tif", 0), ("save-0001.tif", 40)]
    spec = sessions[20].job_spec(tmp_path / "now.tif", others)
    assert [edit.frame for edit in spec.edits] == [20, 0, 40]
    sessions[0].edited.unlink()
    assert [painted.frame for painted in other_frames(sessions[20])] == [40], "its picture was thrown away"


def test_a_frame_outside_the_shot_is_refused(tmp_path):
    with pytest.raises(TimingError, match="frames 0 to 49"):
        session_name(painted_session(tmp_path, 50, 0))


def test_two_painted_frames_make_one_result(studio, ask, edited, tmp_path):
    """The second one in another session; the server says what it got."""
    first, second = ask().last, ask(playhead="01:00:00:03").last
    other = tmp_path / "other.png"
    other.write_bytes(edited.read_bytes() + b"x")
    studio("host", "submit", first["session"], "--edited", edited, "--json")
    assert status_when(first["status_file"], "succeeded")["placement"]["version"] == "shot_v001"
    submitted = studio("host", "submit", second["session"], "--edited", other, "--json").last
    assert status_when(second["status_file"], "succeeded")["placement"]["version"] == "shot_v002"
    shown = studio("jobs", "show", submitted["job"], "--json").last
    assert [Path(path).parent.name for path in shown["edited"]] == [first["session"], second["session"]]


def test_cancel_stops_what_runs(studio, ask, edited):
    begun = ask(settings={"seed": WAITING}).last
    job = studio("host", "submit", begun["session"], "--edited", edited, "--json").last["job"]
    assert studio("host", "cancel", begun["session"], "--json").last["stopped"] == [job]
    assert status_when(begun["status_file"], "cancelled")["words"] == "Stopped."


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script is the editor")
def test_a_frame_that_is_open_comes_back_at_every_save_without_the_host(studio, ask, tmp_path, monkeypatch):
    """`begin --open`, as hosts call it: the editor is started, and saves find their way into the status file."""
    editor = tmp_path / "editor"
    editor.write_text(f'#!/bin/sh\necho "$1" > "{tmp_path}/opened"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("I2VEDIT_EDITOR", str(editor))
    begun = ask(opens=True).last
    frame = Path(begun["frame_file"])
    wait_for(lambda: (tmp_path / "opened").exists())
    assert (tmp_path / "opened").read_text().strip() == str(frame)
    reference = Path(shutil.copy(frame, tmp_path / "reference.tif"))
    by_rename(encode(tmp_path / "small.png", [numbered_frame(1, 48, 40)], ("-frames:v", "1")), frame.with_suffix(".png"))
    assert "48x40" in status_when(begun["status_file"], "failed")["words"]
    by_rename(paint(reference, tmp_path / "painted.tif", 0.5), frame)
    assert status_when(begun["status_file"], "succeeded")["placement"]["version"] == "shot_v001"
    assert studio("host", "saved", frame, "--json").last["watched"]
    studio("host", "cancel", begun["session"], "--json")
    wait_for(lambda: '"succeeded"' in (Path(begun["status_file"]).parent / "roundtrip.log").read_text() or None)
    refused = studio("host", "saved", tmp_path / "holiday.tif", "--json")
    assert refused.code == 2 and refused.last["reason"] == "SESSION_NOT_FOUND"


def test_a_failed_job_says_why_in_the_status_file(studio, ask, edited):
    begun = ask(settings={"seed": FAILING}).last
    studio("host", "submit", begun["session"], "--edited", edited, "--json")
    status = status_when(begun["status_file"], "failed")
    assert status["reason"] == "OUT_OF_MEMORY" and status["words"] == "The card is full; close other programs."
    collected = studio("host", "collect", begun["session"], "--json")
    assert collected.code == 1 and collected.last["reason"] == "NOTHING_DELIVERED"


def test_the_same_picture_attaches_and_another_one_does_not(studio, ask, edited, tmp_path):
    begun = ask(settings={"seed": WAITING}).last
    other = tmp_path / "other.png"
    other.write_bytes(edited.read_bytes() + b"x")
    first, second, third = (
        studio("host", "submit", begun["session"], "--edited", picture, "--json").last for picture in (edited, edited, other)
    )
    assert not first["attached"] and second["attached"] and second["job"] == first["job"]
    assert third["job"] != first["job"]
    studio("host", "cancel", begun["session"], "--json")


REFUSED = [
    ({"kind": "compound"}, "NOT_A_CLIP", "compound clip"),
    ({"kind": "multicam"}, "NOT_A_CLIP", "multicam"),
    ({"kind": "nested"}, "NOT_A_CLIP", "nested"),
    ({"kind": "generator"}, "NOT_A_CLIP", "generator"),
    ({"kind": "time_remapped"}, "RETIMED", "time-remapped"),
    ({"record_count": 6, "source_count": 12, "media_frames": 20}, "RETIMED", "speed"),
    ({"path": "/x/A001.braw"}, "RAW_MEDIA", "Blackmagic RAW"),
    ({"path": "/x/A001.R3D"}, "RAW_MEDIA", "RED"),
    ({"left_offset": 3, "record_count": 4}, "OUTSIDE_MEDIA", "frames 0 to 5"),
    ({"left_offset": -1, "record_count": 4}, "OUTSIDE_MEDIA", "-1"),
    ({"kind": "odd"}, "USAGE", "odd"),
    ({"media_rate": "fast"}, "USAGE", "frames a second"),
    ({"sped": 1}, "USAGE", "sped"),
    ({"record_start": 1.5}, "USAGE", "record_start"),
    ({"path": ""}, "USAGE", "no media file"),
]


@pytest.mark.parametrize(("more", "reason", "hint"), REFUSED)
def test_what_cannot_be_propagated_is_refused_with_its_reason(more, reason, hint):
    clip = {"path": "/x/A001.mov", "timeline_rate": "24", "record_start": 86400, **more}
    with pytest.raises(ClientError) as caught:
        request = Request.parse({"host": "resolve", "clip": clip})
        Session(Path(), request, Media(Fraction(24), FRAMES, "", ""), Path()).source  # noqa: B018  # says what is wrong
    assert caught.value.failure.reason == reason and hint in caught.value.failure.sentence


@pytest.mark.parametrize(("given", "stride", "is_auto"), [({}, 1, False), ({"stride": 4}, 4, False), ({"stride": "auto"}, 0, True)])
def test_a_host_may_ask_for_a_stride(given, stride, is_auto):
    request = {"host": "resolve", "clip": {"path": "/x/A001.mov", "timeline_rate": "24", "record_start": 86400}, "settings": given}
    session = Session(Path(), Request.parse(request), Media(Fraction(24), FRAMES, "", ""), Path("/x/edited.tif"))
    for settings in (session.job_spec(session.edited).settings, session.shot_spec().settings):
        assert (settings.stride, settings.auto_stride) == (stride, is_auto)


def session_with(settings, **clip):
    request = {"host": "resolve", "clip": {"path": "/x/A001.mov", "timeline_rate": "24", **clip}, "settings": settings}
    return Session(Path(), Request.parse(request), Media(Fraction(24), FRAMES, "", "01:00:00:00"), Path("/x/edited.tif"))


def test_what_a_host_sets_is_prepared_and_used():
    session = session_with({"lora_steps": 7, "cuts": "ignore", "size": "704x384", "inside": "delta", "grain": 0.5})
    spec, prepared = session.job_spec(session.edited), session.shot_spec()
    for settings in (spec.settings, prepared.settings):
        assert (settings.lora_steps, settings.ignore_cuts, settings.picture_area) == (7, True, 704 * 384)
    assert (spec.delivery.inside, spec.delivery.grain) == (job_pb2.INSIDE_DELTA, 0.5)
    assert not session_with({}).shot_spec().settings.HasField("lora_steps")


def test_a_host_says_how_its_clip_is_read():
    """Its own first picture is the third of the file, and it has set the timecode of that."""
    told = {"media_start": 2, "record_count": 3, "left_offset": 1, "start_timecode": "02:00:00:00", "deinterlace": True, "video_stream": 2}
    ref = session_with({}, **told).clip_ref()
    assert (ref.source_in, ref.frame_count, ref.start_timecode) == (3, 3, "02:00:00:01")
    assert ref.deinterlace and ref.video_stream == 2
    session = session_with({}, **told)
    assert session.start_timecode == "01:59:59:22", "of the file's first frame"
    placed = described(session, grid(session.span, session.source), "A001_v001")
    assert (placed["timecode"], placed["start_shift_seconds"]) == ("02:00:00:01", pytest.approx(1 / 24))


@pytest.mark.parametrize("size", ["704x384", [704, 384], (704, 384), None, ""])
def test_a_size_is_written_in_either_form(size):
    assert Settings.parse({"size": size}).size == ((704, 384) if size else None)


@pytest.mark.parametrize("size", ["704", [704], [704, 384, 3], [704, 0], ["704", "384"], [True, 384], [-704, 384], 704, {"w": 704}])
def test_a_size_that_is_none_is_refused(size):
    with pytest.raises(BadInput, match="like 704x384"):
        Settings.parse({"size": size})


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        ({"cuts": "never"}, "find, ignore"),
        ({"inside": "out"}, "auto, replace, delta"),
        ({"grain": 2}, "from 0 to 1"),
        ({"grain": "all"}, "from 0 to 1"),
        ({"lora_steps": "many"}, "lora_steps"),
        ({"seed": -1}, "seed"),
        ({"seed": None}, "seed"),
        ({"seed": 1.5}, "seed"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_with_a_sentence(settings, hint):
    with pytest.raises(BadInput, match=hint):
        Settings.parse(settings)


@pytest.mark.parametrize("clip", [{"deinterlace": "yes"}, {"video_stream": "2"}, {"media_start": 1.5}])
def test_a_way_of_reading_that_cannot_be_is_refused(clip):
    with pytest.raises(BadInput, match=next(iter(clip))):
        session_with({}, **clip)


def test_the_documented_placement_is_that_of_the_documented_request(tmp_path):
    text = (HERE.parents[1] / "docs" / "hosts.md").read_text(encoding="utf-8")
    asked, told = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL))
    media = Media(Fraction(24000, 1001), asked["clip"]["media_frames"], "", asked["clip"]["start_timecode"])
    session = Session(tmp_path, Request.parse(asked), media, tmp_path / "edited.tif")
    folder = tmp_path / told["version"]
    folder.mkdir()
    for number in range(told["first_number"], told["first_number"] + told["count"]):
        (folder / (told["pattern"] % number)).touch()
    placed = placement(session, job_pb2.Job(name=told["job"], delivered_directory=str(folder)))
    assert placed.pop("directory") == str(folder) and Path(told.pop("directory")).parent == Path(asked["settings"]["out"])
    rounded = {key: pytest.approx(placed[key], rel=1e-3) for key in ("rate_number", "start_shift_seconds")}
    assert told == {**placed, **rounded}


def test_a_refusal_comes_as_json(ask):
    outcome = ask(kind="compound")
    assert outcome.code == 2 and outcome.last["event"] == "failed"
    assert outcome.last["reason"] == "NOT_A_CLIP" and "Render it in place" in outcome.last["message"]


def test_the_answer_is_also_written_to_a_file(studio, tmp_path):
    answer = tmp_path / "answer.json"
    assert studio("host", "collect", "0123456789ab", "--answer", answer, "--json").code == 2
    assert json.loads(answer.read_text())["reason"] == "SESSION_NOT_FOUND"
    assert studio("host", "poll", "--host", "resolve", "--project", "nobody's", "--answer", answer, "--json").code == 0
    assert json.loads(answer.read_text()) == {"event": "succeeded", "sessions": []}


def test_mixed_rates_are_laid_out_for_a_host_that_cannot_begin_within_a_frame(studio, ask, edited):
    """24 frames a second on a timeline of 30, begun two fifths into a frame."""
    begun = ask(timeline_rate="30", left_offset=3, record_count=4).last
    assert begun["range"] == [2, 4]
    studio("host", "submit", begun["session"], "--edited", edited, "--json")
    placed = status_when(begun["status_file"], "succeeded")["placement"]
    assert placed["grid"] == "timeline" and placed["source_frames"] == [2, 3, 4, 4] and placed["rate"] == "30/1"
    shown = [Path(placed["directory"]) / (placed["pattern"] % number) for number in range(4)]
    delivered = Path(placed["directory"]).parent / placed["version"]
    assert [file.stat().st_ino for file in shown] == [(delivered / f"shot_v001.{frame:04}.exr").stat().st_ino for frame in (2, 3, 4, 4)]

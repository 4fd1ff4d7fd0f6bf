"""The scripts of Resolve against a strict double, with the contract's own arithmetic in between."""

import json
import random
import sys
from fractions import Fraction
from pathlib import Path

import i2vedit_resolve
import pytest
from tests.plugins.resolve_double import World

from i2vedit_client.errors import ClientError
from i2vedit_client.host.placement import described
from i2vedit_client.host.session import Media, Request, Session
from i2vedit_client.host.timing import MEDIA_GRID, grid
from i2vedit_run import Failed

CASES = 1000
RATES = ("24", "25", "30", "50", "60", "24000/1001", "30000/1001", "60000/1001")


def session_of(edit, item, frames, rate):
    """What `begin` would make of the clip, without a file."""
    request = Request.parse(json.loads(json.dumps(edit.request(item))))
    return Session(Path("/sessions/0123456789ab"), request, Media(Fraction(rate), frames, "", "00:00:00:00"), Path("/edit.tif"))


def placement_of(session, job="jobs/1"):
    """What `collect` would answer, and the source frame of each picture."""
    lies = grid(session.span, session.source)
    first = lies.frames[0] if lies.kind == MEDIA_GRID else 0
    files = {"directory": "/out/a_v001", "pattern": "a_v001.%04d.exr", "first_number": first, "count": len(lies.frames)}
    return {"job": job, "version": "a_v001", **files, **described(session, lies, "a_v001")}, lies.frames


def test_a_thousand_random_clips_show_the_plates_frame_at_every_frame():
    random.seed(11)
    placed = refused = 0
    for _ in range(CASES):
        rate, timeline_rate = random.choice(RATES), random.choice([*RATES, None])
        world = World(timeline_rate=timeline_rate or rate, version=random.choice([(18, 5), (20, 2), (21, 1)]))
        left, count = random.randrange(400), random.randrange(1, 60)
        needed = int(Fraction(left + count) / world.timeline_rate * Fraction(rate)) + 1
        media = world.media("/plates/a.mov", rate, needed + random.randrange(30))
        item = world.clip(media, 86400 + random.randrange(10**6), count, left)
        world.playhead = item
        edit = i2vedit_resolve.Edit(world.resolve)
        session = session_of(edit, edit.selected(), int(media.GetClipProperty("Frames")), rate)
        placement, frames = placement_of(session)
        try:
            result = i2vedit_resolve.Placing(edit, item, placement).on_track()
        except Failed as failure:
            refused += 1
            assert failure.reason == "PLACEMENT" and world.tracks == [("Video 1", [item])], "taken away again"
            continue
        placed += 1
        for frame in range(item.GetStart(), item.GetEnd()):
            assert frames[result._shown(frame)] == item._shown(frame)
    assert placed + refused == CASES and refused <= CASES // 100, refused


@pytest.fixture
def world():
    world = World(managed=True)
    media = world.media("/plates/a.mov", "24", 100, **{"Input Color Space": "Sony S-Gamut3/S-Log3"})
    world.playhead = world.clip(media, 90000, 20, 10)
    return world


@pytest.fixture
def edit(world):
    return i2vedit_resolve.Edit(world.resolve)


def placement(edit, world):
    return placement_of(session_of(edit, world.playhead, 100, "24"))[0]


@pytest.mark.parametrize(
    ("timecode", "frame"), [("01:02:30:05", 15), ("01:02:30:00", 10), ("01:00:00:00", 10), ("01:02:30:20", 10), ("", 10)]
)
def test_the_frame_under_the_playhead_is_painted_where_it_is_on_the_clip(edit, world, timecode, frame):
    world.timecode = timecode
    assert session_of(edit, world.playhead, 100, "24").painted_frame == frame


def test_the_result_has_track_bin_colour_sizing_grade_and_note(edit, world):
    world.playhead._properties["ZoomX"], world.playhead._grade = 1.5, "look"
    placed = i2vedit_resolve.Placing(edit, world.playhead, placement(edit, world)).on_track()
    assert [name for name, _ in world.tracks] == ["Video 1", "I2VEdit"]
    (bin_,) = world.root.GetSubFolderList()
    assert bin_.GetName() == "I2VEdit" and len(bin_.GetClipList()) == 1 and world.current is world.root
    media = placed.GetMediaPoolItem()
    kept = {name: media.GetClipProperty(name) for name in ("FPS", "Alpha mode", "Input Color Space")}
    assert kept == {"FPS": "24", "Alpha mode": "Premultiplied", "Input Color Space": "Sony S-Gamut3/S-Log3"}
    assert (placed._properties["ZoomX"], placed._grade) == (1.5, "look")
    (marker,) = placed._markers
    assert marker["customData"] == "jobs/1" and marker["note"].startswith("a_v001: mini, full, seed 0")
    assert i2vedit_resolve.is_placed(edit, "jobs/1") and not i2vedit_resolve.is_placed(edit, "jobs/2")


def test_frames_worth_a_look_are_marked(edit, world):
    told = [
        {"frame": 10, "offset": 0, "record_frame": 90000, "kind": "warning", "text": "at the first frame, where our own marker is"},
        {"frame": 15, "offset": 5, "record_frame": 90005, "kind": "suggestion", "text": "Paint this frame too."},
        {"frame": 18, "offset": 8, "record_frame": 90008, "kind": "note", "text": "A shot begins here."},
    ]
    placed = i2vedit_resolve.Placing(edit, world.playhead, {**placement(edit, world), "markers": told}).on_track()
    found = [(marker["frame"], marker["color"], marker["note"], marker["customData"]) for marker in placed._markers[1:]]
    assert found == [(5, "Yellow", "Paint this frame too.", "jobs/1 15"), (8, "Purple", "A shot begins here.", "jobs/1 18")]
    assert i2vedit_resolve.is_placed(edit, "jobs/1")


def _worth_a_look(job, *frames):
    return [{"frame": frame + 10, "offset": frame, "record_frame": 90000 + frame, "kind": "warning", "text": job} for frame in frames]


def _data(item):
    return [(marker["frame"], marker["customData"]) for marker in item._markers]


def test_markers_of_earlier_takes_go_and_the_artists_own_stay(edit, world):
    item = world.playhead
    item.AddMarker(0, "Blue", "Mine", "", 1, "")
    item.AddMarker(7, "Green", "Mine, too", "", 1, "somebody's")
    for job, frames in (("jobs/1", (3, 5)), ("jobs/2", (5, 7, 8))):
        told = {**placement(edit, world), "job": job, "version": job, "markers": _worth_a_look(job, *frames)}
        i2vedit_resolve.Placing(edit, item, told).as_take()
    own = [(0, ""), (7, "somebody's")]
    assert _data(item) == [*own, (1, "jobs/2 jobs/1"), (5, "jobs/2 15"), (8, "jobs/2 18")]
    assert i2vedit_resolve.is_placed(edit, "jobs/1") and i2vedit_resolve.is_placed(edit, "jobs/2"), "neither is collected again"
    assert not i2vedit_resolve.is_placed(edit, "jobs/15")


def test_frames_worth_a_look_are_marked_on_the_newest_version_alone(edit, world):
    first, second = (
        i2vedit_resolve.Placing(edit, world.playhead, {**placement(edit, world), "job": job, "markers": _worth_a_look(job, 4)}).on_track()
        for job in ("jobs/1", "jobs/2")
    )
    assert (_data(first), _data(second)) == ([(0, "jobs/1")], [(0, "jobs/2"), (4, "jobs/2 14")])


def test_our_track_is_used_again_where_it_is_free(edit, world):
    for job in ("jobs/1", "jobs/2"):
        i2vedit_resolve.Placing(edit, world.playhead, {**placement(edit, world), "job": job}).on_track()
    assert [name for name, _ in world.tracks] == ["Video 1", "I2VEdit", "I2VEdit"], "the second version lies above the first"
    other = world.clip(world.playhead._media, 95000, 20, 10)
    i2vedit_resolve.Placing(edit, other, {**placement(edit, world), "record_start": 95000}).on_track()
    assert len(world.tracks) == 3


def test_a_take_leaves_the_tracks_alone(edit, world):
    i2vedit_resolve.Placing(edit, world.playhead, placement(edit, world)).as_take()
    ((_, first, last),) = world.playhead._takes
    assert (first, last) == (0, 19) and len(world.tracks) == 1


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda world: setattr(world, "shifts_placements", 1), "PLACEMENT"),
        (lambda world: world.keeps.update({"Input Color Space": "Rec.709"}), "PROPERTY"),
        (lambda world: world.keeps.update({"Alpha mode": "Straight"}), "PROPERTY"),
    ],
)
def test_what_resolve_does_otherwise_is_taken_back(edit, world, spoil, reason):
    wanted = placement(edit, world)
    spoil(world)
    with pytest.raises(Failed) as caught:
        i2vedit_resolve.Placing(edit, world.playhead, wanted).on_track()
    assert caught.value.reason == reason
    assert len(world.tracks) == 1 and world.tracks[0][1] == [world.playhead]
    assert world.root.GetSubFolderList()[0].GetClipList() == []


def test_the_selection_counts_where_resolve_tells_it(world):
    other = world.clip(world.playhead._media, 95000, 20)
    world.selected = [other]
    assert i2vedit_resolve.Edit(world.resolve).selected() is world.playhead, "20.2 has no such call"
    world.version = (21, 0)
    edit = i2vedit_resolve.Edit(world.resolve)
    assert edit.selected() is other
    world.selected = [other, world.playhead]
    with pytest.raises(Failed, match="2 clips"):
        edit.selected()
    world.selected, world.playhead = [], None
    with pytest.raises(Failed, match="No clip"):
        edit.selected()


def test_editions_that_run_no_scripts_are_told_so(world):
    world.edition, world.version = "DaVinci Resolve", (21, 1)
    with pytest.raises(Failed, match="free edition"):
        i2vedit_resolve.Edit(world.resolve)
    world.version = (21, 0)
    assert i2vedit_resolve.Edit(world.resolve).timeline


def test_clips_that_cannot_be_propagated_are_refused(edit, world):
    item = world.playhead
    item._speed = Fraction(2)
    with pytest.raises(ClientError) as caught:
        session_of(edit, item, 100, "24").span  # noqa: B018
    assert caught.value.failure.reason == "RETIMED"
    item._media._properties["Type"] = "Compound"
    with pytest.raises(ClientError) as caught:
        session_of(edit, item, 100, "24")
    assert caught.value.failure.reason == "NOT_A_CLIP"
    item._media = None
    with pytest.raises(Failed, match="no media"):
        edit.describe(item)


def test_the_double_refuses_what_is_not_documented(world):
    timeline = i2vedit_resolve.Edit(world.resolve).timeline
    assert hasattr(timeline, "GetSelectedClips") and not i2vedit_resolve.can(timeline, "GetSelectedClips")
    with pytest.raises(TypeError):
        timeline.GetSelectedClips()


class Answers:
    """Stands for the command: gives one answer after another."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def __call__(self, launcher, words, request=None):
        self.asked.append(words)
        return self.answers.pop(0)


def test_what_was_finished_while_resolve_was_closed_is_collected_once(edit, world, monkeypatch):
    session = {"item": world.playhead.GetUniqueId(), "clip": "a.mov", "event": "succeeded", "placement": placement(edit, world)}
    waiting = {"item": world.playhead.GetUniqueId(), "clip": "b.mov", "event": "running", "words": "Learning its motion"}
    monkeypatch.setattr(i2vedit_resolve, "ask", Answers(*[{"sessions": [session, waiting]}] * 2))
    said: list[str] = []
    assert i2vedit_resolve.collect(edit, "launcher", say=said.append) == 1
    assert said == ["Placed a_v001.%04d.exr at 90000.", "b.mov: Learning its motion"]
    assert i2vedit_resolve.collect(edit, "launcher", say=said.append) == 0


def test_a_failure_is_one_sentence_in_the_console(world, capsys):
    world.playhead = None
    i2vedit_resolve.collect_results({"resolve": world.resolve}, "/no/such/launcher")
    assert capsys.readouterr().out.startswith("I2VEdit: The i2vedit command cannot be started")
    i2vedit_resolve.export_frame({"resolve": world.resolve}, "/no/such/launcher")
    assert capsys.readouterr().out == "I2VEdit: No clip is selected, and none is under the playhead. Select one, and try again.\n"


def test_the_file_is_read_by_the_oldest_python_that_resolve_runs():
    import ast

    for module in (i2vedit_resolve, sys.modules["i2vedit_run"]):
        ast.parse(Path(str(module.__file__)).read_text(), feature_version=(3, 6))

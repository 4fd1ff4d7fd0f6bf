"""The panel of After Effects and the script of Photoshop: read as ES3, checked against types, run in Node against strict doubles."""

import json
import os
import random
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest

from i2vedit_client.errors import ClientError
from i2vedit_client.host.placement import described
from i2vedit_client.host.session import Media, Request, Session
from i2vedit_client.host.timing import grid

HERE = Path(__file__).parent
PLUGINS = HERE.parents[1] / "plugin_clients"
PANEL, SCRIPT = PLUGINS / "after_effects" / "I2VEdit.jsx", PLUGINS / "photoshop" / "Save and Propagate.jsx"
NODE = shutil.which("node")
CASES = 1000
RATES = ("24", "25", "30", "50", "60", "24000/1001", "30000/1001", "60000/1001")

needs_node = pytest.mark.skipif(NODE is None, reason="there is no node here")


def in_node(mode, cases, panel=PANEL, double="after_effects_double.js"):
    ran = subprocess.run(
        [str(NODE), HERE / double, panel], input=json.dumps({"mode": mode, "cases": cases}), capture_output=True, text=True, timeout=600
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return json.loads(ran.stdout)


def session_of(clip, frames, rate):
    request = Request.parse({"host": "after_effects", "project": "/projects/film.aep", "item": "1:2", "clip": clip})
    return Session(Path("/sessions/0123456789ab"), request, Media(Fraction(rate), frames, "", ""), Path("/edit.tif"))


def placement_of(session):
    lies = grid(session.span, session.source, begins_anywhere=True)
    files = {"directory": "/out/a_v001", "pattern": "a_v001.%04d.exr", "first_number": lies.frames[0], "count": len(lies.frames)}
    return {"job": "jobs/1", "version": "a_v001", **files, **described(session, lies, "a_v001")}


def layer(rate="24", comp_rate="24", start=1.0, trim=10, count=20, **more):
    """A layer that begins `start` seconds into its composition and is trimmed by `trim` frames of it."""
    comp = Fraction(comp_rate)
    begin = float(Fraction(start).limit_denominator(10**6) + trim / comp)
    return {
        "media_rate": float(Fraction(rate)),
        "comp_rate": float(comp),
        "start": start,
        "in_point": begin,
        "out_point": float(Fraction(begin).limit_denominator(10**9) + count / comp),
        **more,
    }


@needs_node
def test_a_thousand_random_layers_show_the_plates_frame_at_every_frame():
    random.seed(13)
    drawn = []
    for _ in range(CASES):
        comp_rate = random.choice(RATES)
        start = float(random.randrange(-2000, 2000) / Fraction(comp_rate))
        trim, count = random.randrange(300), random.randrange(1, 40)
        drawn.append((random.choice(RATES), comp_rate, layer("24", comp_rate, start, trim, count)))
        drawn[-1][2]["media_rate"] = float(Fraction(drawn[-1][0]))
    placed = []
    for (rate, comp_rate, case), clip in zip(drawn, in_node("describe", [case for _, _, case in drawn]), strict=True):
        session = session_of(clip, 10**6, rate)
        assert session.span.timeline_rate == Fraction(comp_rate) and session.span.media_rate == Fraction(rate)
        begin = clip["record_start"]
        frames = list(range(begin, begin + clip["record_count"]))
        status = {"placement": placement_of(session)}
        placed.append({**case, "status": status, "frames": frames, "source": session.source.first})
    for case, seen in zip(placed, in_node("place", placed), strict=True):
        assert "error" not in seen, seen
        assert all(plate == case["source"] + result for plate, result in seen["shown"]), (case, seen)


@needs_node
def test_a_result_lies_above_its_layer_and_the_next_one_replaces_it():
    (clip,) = in_node("describe", [layer(rate="24000/1001", comp_rate="25")])
    placement = placement_of(session_of(clip, 1000, "24000/1001"))
    (seen,) = in_node("place", [layer(rate="24000/1001", comp_rate="25", status={"placement": placement})])
    assert seen["index"] == 1 and seen["layers"] == 2 and seen["layers_then"] == 2
    assert seen["again"] and seen["second"] and seen["name"] == "a v002"
    assert seen["undo"] == 2 and seen["depth"] == 0, "one undo group for each result"
    assert seen["alpha"] == "PREMULTIPLIED" and seen["effects"] == "glow" and seen["folder"] == "I2VEdit"
    assert abs(seen["rate"] - 24000 / 1001) < 1e-3


@needs_node
def test_frames_worth_a_look_are_marked_and_the_artists_markers_stay():
    case = layer(start=1.0, trim=24, count=48, markers=[[2.5, "cue"], [3.0, "beat"]])
    (clip,) = in_node("describe", [case])
    told = [
        {"record_frame": 54, "kind": "suggestion", "text": "Paint this one, too."},
        {"record_frame": 60, "kind": "warning", "text": "A join that is seen."},
        {"record_frame": 72, "kind": "note", "text": "A cut."},
    ]
    status = {"placement": {**placement_of(session_of(clip, 1000, "24")), "markers": told}}
    later = [{"record_frame": 66, "kind": "note", "text": "Another."}]
    (seen,) = in_node("place", [{**case, "status": status, "later_markers": later}])
    cue, beat = [2.5, "cue", 0], [3.0, "beat", 0]
    first, second, third = (
        [2.25, "I2VEdit: Paint this one, too.", 2],
        [61 / 24, "I2VEdit: A join that is seen.", 1],
        [73 / 24, "I2VEdit: A cut.", 10],
    )
    assert seen["markers"] == [first, cue, second, beat, third]
    assert seen["markers_then"] == [cue, [2.75, "I2VEdit: Another.", 10], beat]


@needs_node
def test_the_frame_at_the_current_time_is_painted_where_the_layer_shows_one():
    for time, frame in ((2.0, 24), (2.5, 36), (9.0, 24), (0.0, 24)):
        (clip,) = in_node("describe", [layer(start=1.0, trim=24, count=48, time=time)])
        assert session_of(clip, 1000, "24").painted_frame == frame


@needs_node
def test_what_after_effects_places_otherwise_is_taken_away_again():
    (clip,) = in_node("describe", [layer()])
    placement = placement_of(session_of(clip, 1000, "24"))
    (seen,) = in_node("place", [layer(slips=0.04, status={"placement": placement})])
    assert "in point" in seen["error"] and seen["layers"] == 1 and seen["items"] == 3 and seen["depth"] == 0


@needs_node
@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"layer": {"stretch": 50}}, "RETIMED"),
        ({"layer": {"stretch": -100}}, "RETIMED"),
        ({"layer": {"timeRemapEnabled": True}}, "RETIMED"),
        ({"kind": "composition"}, "NOT_A_CLIP"),
        ({"kind": "still"}, "NOT_A_CLIP"),
        ({"path": "/cards/A001.R3D"}, "RAW_MEDIA"),
    ],
)
def test_layers_that_cannot_be_propagated_are_refused(more, reason):
    (clip,) = in_node("describe", [layer(**more)])
    with pytest.raises(ClientError) as caught:
        session_of(clip, 1000, "24")
    assert caught.value.failure.reason == reason


@needs_node
@pytest.mark.parametrize(("working_space", "color"), [("", "match"), ("None", "match"), ("ACEScg", "linear")])
def test_a_working_space_decides_what_is_delivered(working_space, color):
    (clip,) = in_node("describe", [layer(workingSpace=working_space)])
    assert session_of(clip, 1000, "24").color == color


@needs_node
@pytest.mark.parametrize("system", ["Macintosh OS 15.1", "Windows 11"])
def test_the_command_is_started_detached_and_files_are_looked_at(system, tmp_path):
    (clip,) = in_node("describe", [layer()])
    placement = placement_of(session_of(clip, 1000, "24"))
    answer = {"event": "succeeded", "session": "0123456789ab", "status_file": "/s/status.json", "frame_file": "/out/a_f0010-Edit.tif"}
    running = {"event": "running", "clip": "a.mov", "words": "Learning its motion", "fraction": 0.5}
    done = {"event": "succeeded", "session": "0123456789ab", "clip": "a.mov", "item": "101:103", "placement": placement}
    (seen,) = in_node("run", [layer(os=system, action="paint", answer=answer, statuses=[running, done], path="/plates/späte 100%'s.mov")])
    assert seen["layers"] == 2 and seen["milliseconds"] < 200, seen
    (request,) = [json.loads(text) for name, text in seen["files"].items() if name.endswith("request.json")]
    assert request["clip"]["path"] == "/plates/späte 100%'s.mov" and request["host"] == "after_effects"
    (script,) = [text for name, text in seen["files"].items() if "/run." in name]
    assert "begin" in script and "--answer" in script and ('start "" /B' in script if "Windows" in system else script.endswith("&\n"))


@needs_node
@pytest.mark.skipif(os.name == "nt", reason="a shell script")
def test_the_script_that_it_starts_runs_the_launcher(tmp_path):
    launcher = tmp_path / "it's a launcher"
    launcher.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{tmp_path}/words"\n')
    launcher.chmod(0o755)
    panel = tmp_path / "I2VEdit.jsx"
    panel.write_text(PANEL.read_text().replace('"@LAUNCHER@"', json.dumps(str(launcher))))
    (seen,) = in_node("run", [layer(action="paint", answer={"event": "failed", "message": "no"})], panel)
    (script,) = [text for name, text in seen["files"].items() if name.endswith("run.sh")]
    subprocess.run(["/bin/sh", "-c", script + "wait"], check=True, timeout=60)
    words = (tmp_path / "words").read_text().splitlines()
    assert words[:3] == ["host", "begin", "--open"] and words[-1] == "--json"


@needs_node
def test_the_double_refuses_what_is_not_documented():
    assert in_node("refuse", [layer()]) == [[True, True, True]]


@needs_node
@pytest.mark.parametrize(
    ("case", "hint"),
    [
        ({"path": "/out/a_f0010-Edit.tif"}, ""),
        ({"path": "/out/holiday.tif"}, "does not end in -Edit"),
        ({"path": None}, "never saved"),
        ({"closed": True}, "No document is open"),
    ],
)
def test_photoshop_saves_and_hands_over_or_says_why_not(case, hint):
    (seen,) = in_node("run", [case], SCRIPT, "photoshop_double.js")
    if hint:
        assert hint in seen["alerts"][0] and not seen["saved"] and not seen["executed"]
    else:
        assert seen["alerts"] == [] and seen["saved"] == 1 and seen["executed"].endswith(".command")
        assert "host saved '/out/a_f0010-Edit.tif' --json" in seen["script"]


def _npm(*words, folder):
    npx = shutil.which("npx")
    if npx is None:
        pytest.skip("there is no npx here")
    return subprocess.run([npx, "--yes", *words], cwd=folder, capture_output=True, text=True, timeout=280, stdin=subprocess.DEVNULL)


@pytest.mark.slow
def test_both_files_are_es3_and_use_the_documented_objects(tmp_path):
    """ESLint reads them as ES3, TypeScript holds them against types-for-adobe. Skipped where npm cannot fetch them."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("there is no npm here")
    shutil.copytree(HERE / "es3", tmp_path / "es3")
    folder = tmp_path / "es3"
    fetched = subprocess.run([npm, "ci", "--silent", "--ignore-scripts"], cwd=folder, capture_output=True, text=True, timeout=280)
    if fetched.returncode != 0:
        pytest.skip(f"npm cannot fetch ESLint and the types here: {fetched.stderr[-200:]}")
    shutil.copy(PANEL, folder / "after_effects.js")
    shutil.copy(SCRIPT, folder / "photoshop.js")
    linted = _npm("eslint", "after_effects.js", "photoshop.js", folder=folder)
    assert linted.returncode == 0, linted.stdout + linted.stderr
    for name in ("after_effects", "photoshop"):
        checked = _npm("tsc", "-p", f"tsconfig.{name}.json", folder=folder)
        assert checked.returncode == 0, checked.stdout + checked.stderr

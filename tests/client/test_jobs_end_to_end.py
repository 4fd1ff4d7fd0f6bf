"""The command against a real server, a real worker process and a stand-in for the method."""

import json
import os
import re
import signal
import stat
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.client.saving import paint

FRAMES = 6
FAILING, WAITING = 1, 2


def wait_until(condition, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def events_of(process) -> list[str]:
    """Collects the lines of a running command without blocking on it."""
    lines: list[str] = []
    threading.Thread(target=lambda: lines.extend(process.stdout), daemon=True).start()
    return lines


def test_propagate_as_json_tells_everything_and_ends_with_succeeded(studio, call, tmp_path):
    out = tmp_path / "out"
    outcome = studio(*call(out, "--json"))
    assert outcome.code == 0, outcome.err
    kinds = [event["event"] for event in outcome.events]
    assert kinds[0] == "submitted"
    assert {"progress", "running"} <= set(kinds)
    assert kinds.count("succeeded") == 1 and kinds[-1] == "succeeded"
    assert outcome.last["directory"] == str(out / "shot_v001")
    assert outcome.last["delivered"] == outcome.last["frames"] == FRAMES
    assert len({event["job"] for event in outcome.events}) == 1
    assert len(list((out / "shot_v001").iterdir())) == FRAMES
    frames = [event for event in outcome.events if event["event"] == "frame"]
    assert all(Path(event["path"]).exists() for event in frames)


def test_propagate_for_people_says_calm_lines(studio, call, tmp_path):
    outcome = studio(*call(tmp_path / "out", "--range", "2-4"))
    assert outcome.code == 0, outcome.err
    assert re.match(r"Job \S+ is submitted\.", outcome.out)
    assert f"Done: 3 frames in {tmp_path / 'out' / 'shot_v001'}" in outcome.out
    assert outcome.err == ""


def test_any_frame_and_several_may_be_painted(studio, call, edited, tmp_path):
    out = tmp_path / "out"
    words = ("--at", "3", "--edited", str(edited), "--at", "1", "--range", "1-4", "--handles", "2")
    outcome = studio(*call(out, *words, "--json"))
    assert outcome.code == 0, outcome.err
    names = sorted(file.name for file in Path(outcome.last["directory"]).iterdir())
    assert (names[0], names[-1], len(names)) == ("shot_v001.0000.exr", "shot_v001.0005.exr", FRAMES)
    shown = studio("jobs", "show", outcome.last["job"], "--json").last
    assert len(shown["edited"]) == 2


def test_pictures_without_a_range_are_told_by_their_own_numbers(studio, call, pictures, tmp_path):
    painted = paint(pictures.with_name("shot.1001.png"), tmp_path / "painted.tif", 0.5)
    outcome = studio(*call(tmp_path / "out", "--json", source=pictures, picture=painted))
    assert outcome.code == 0, outcome.err
    shown = studio("jobs", "show", outcome.last["job"], "--json").last
    assert (shown["first"], shown["frames"]) == (1001, FRAMES)


def test_the_same_frame_twice_is_refused(studio, call, edited, tmp_path):
    outcome = studio(*call(tmp_path, "--at", "3", "--edited", str(edited), "--at", "3", "--json"))
    assert outcome.code == 2 and "Frame 3 is painted twice" in outcome.last["message"]


def test_a_finished_job_makes_the_next_version(studio, call, tmp_path):
    first, second = (studio(*call(tmp_path / "out", "--json")).last for _ in range(2))
    assert first["job"] != second["job"]
    assert [Path(event["directory"]).name for event in (first, second)] == ["shot_v001", "shot_v002"]


def test_an_unfinished_job_is_attached_to(i2vedit, server, call, tmp_path):
    words = call(tmp_path, "--seed", str(WAITING), "--json")
    left = i2vedit(*words, "--detach")
    assert left.code == 0
    assert (left.last["event"], left.last["detached"]) == ("succeeded", True)
    process = i2vedit.start(*words)
    lines = events_of(process)
    wait_until(lambda: len(lines) >= 2)
    (tmp_path / "go").touch()
    assert process.wait(20) == 0
    assert '"attached": true' in lines[0] and left.last["job"] in lines[0]


def test_paths_with_spaces_percent_quotes_and_unicode_work(studio, call, clip, edited, tmp_path):
    folder = tmp_path / "späce 100% 'q\" 映像 [v2]" if os.name != "nt" else tmp_path / "späce 100% 'q 映像 [v2]"
    folder.mkdir()
    odd_clip, odd_edit = folder / "plâte %04d.mp4", folder / "edit's.png"
    odd_clip.write_bytes(clip.read_bytes())
    odd_edit.write_bytes(edited.read_bytes())
    outcome = studio(*call(folder / "öut", "--json", source=odd_clip, picture=odd_edit))
    assert outcome.code == 0, outcome.err
    assert Path(outcome.last["directory"]).is_dir()


def test_a_failed_job_is_one_sentence_with_code_and_reason(studio, call, tmp_path):
    outcome = studio(*call(tmp_path, "--seed", str(FAILING), "--json"))
    assert outcome.code == 1
    assert outcome.last["event"] == "failed"
    assert (outcome.last["code"], outcome.last["reason"]) == ("RESOURCE_EXHAUSTED", "OUT_OF_MEMORY")
    assert outcome.err.strip() == outcome.last["message"] == "The card is full; close other programs."
    shown = studio("jobs", "show", outcome.last["job"])
    assert "OUT_OF_MEMORY" in shown.out


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent in another way there")
def test_ctrl_c_leaves_the_job_running_and_says_how_to_find_it(i2vedit, server, call, tmp_path):
    process = i2vedit.start(*call(tmp_path, "--seed", str(WAITING), "--json"))
    lines = events_of(process)
    wait_until(lambda: any('"progress"' in line for line in lines))
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 130
    said = process.stderr.read()
    (number,) = re.findall(r"i2vedit jobs watch (\S+)", said)
    assert f"i2vedit jobs cancel {number}" in said and "Traceback" not in said
    assert '"reason": "INTERRUPTED"' in lines[-1]
    assert i2vedit("jobs", "show", number, "--json").last["state"] == "running"
    assert i2vedit("jobs", "cancel", number).code == 0
    watched = i2vedit("jobs", "watch", number, "--json")
    assert (watched.code, watched.last["event"]) == (1, "cancelled")


def test_jobs_are_listed_newest_first(i2vedit, server, call, tmp_path):
    assert i2vedit("jobs", "list").out.strip() == "No jobs."
    for seed in (0, FAILING):
        i2vedit(*call(tmp_path / "out", "--seed", str(seed)))
    listed = i2vedit("jobs", "list", "--json")
    assert [event.get("state") for event in listed.events[:-1]] == ["failed", "succeeded"]
    assert listed.last == {"event": "succeeded", "count": 2}
    only = i2vedit("jobs", "list", "--state", "failed", "--limit", "1", "--json")
    assert only.last["count"] == 1
    assert len(i2vedit("jobs", "list").out.splitlines()) == 2


def test_a_job_of_the_past_is_watched_to_the_end_it_had(studio, call, tmp_path):
    done = studio(*call(tmp_path / "out", "--json")).last
    again = studio("jobs", "watch", done["job"], "--json")
    assert (again.code, again.last) == (0, done)
    assert "had ended before" in studio("jobs", "cancel", done["job"]).out or studio("jobs", "cancel", done["job"]).code == 2


def test_a_job_that_is_not_there(studio):
    for verb in ("show", "watch", "cancel", "pause", "resume", "retry", "delete", "move"):
        outcome = studio("jobs", verb, "nosuch", "--json")
        assert (outcome.code, outcome.last["code"]) == (2, "NOT_FOUND")
        assert "Traceback" not in outcome.err


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_a_killed_server_is_started_again_and_the_job_goes_on(i2vedit, server, call, tmp_path):
    """The command sleeps while its server is exchanged, or it would start one of its own, with the real method in its worker."""
    process = i2vedit.start(*call(tmp_path, "--seed", str(WAITING), "--json"))
    lines = events_of(process)
    wait_until(lambda: any('"running"' in line for line in lines))
    process.send_signal(signal.SIGSTOP)
    server.process.kill()
    server.process.wait()
    (i2vedit.data / "server.json").unlink()
    restarted = type(server).launch(server.data, server.environment)
    try:
        process.send_signal(signal.SIGCONT)
        (tmp_path / "go").touch()
        assert process.wait(30) == 0
        assert '"succeeded"' in lines[-1]
    finally:
        restarted.end()


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGTERM there")
def test_a_server_that_is_stopped_on_purpose_stays_stopped(i2vedit, server, call, tmp_path):
    process = i2vedit.start(*call(tmp_path, "--seed", str(WAITING), "--json"))
    lines = events_of(process)
    wait_until(lambda: any('"running"' in line for line in lines))
    server.process.terminate()
    assert process.wait(15) == 3
    assert '"SERVER_STOPPING"' in lines[-1]
    assert server.process.wait(10) == 0


def test_a_wrong_token_is_one_sentence(i2vedit, server, call, tmp_path):
    (i2vedit.data / "token").write_text("x" * 43)
    outcome = i2vedit(*call(tmp_path, "--json"))
    assert outcome.code == 3
    assert (outcome.last["code"], outcome.last["reason"]) == ("UNAUTHENTICATED", "TOKEN_INVALID")
    assert len(outcome.err.strip().splitlines()) == 1
    assert "x" * 43 not in outcome.out + outcome.err


@pytest.mark.skipif(os.name == "nt", reason="no file modes there")
def test_address_and_token_are_for_the_user_alone(i2vedit, server):
    for name in ("server.json", "token"):
        assert stat.S_IMODE((i2vedit.data / name).stat().st_mode) == 0o600


def test_a_proxy_in_the_environment_does_not_stand_in_between(studio, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "grpc_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert studio("jobs", "list").code == 0


def test_a_frame_is_exported_and_never_overwritten(studio, clip, tmp_path):
    out = tmp_path / "frame 3.png"
    outcome = studio("frame", clip, "--at", "3", "--out", out, "--no-prepare", "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.last == {"event": "succeeded", "path": str(out), "frame": 3, "notices": []}
    kept = out.read_bytes()
    assert kept.startswith(b"\x89PNG")
    assert studio("frame", clip, "--at", "4", "--out", out, "--no-prepare").code == 2
    assert out.read_bytes() == kept


def test_a_host_finds_the_shot_that_frame_prepares_with_the_same_training_steps(studio, clip, model, tmp_path):
    shots = []
    for number, steps in enumerate(("3", "4")):
        said = ["--model", model, "--out", tmp_path / f"{number}.tif", "--lora-steps", steps, "--cuts", "ignore", "--json"]
        shots.append(studio("frame", clip, "--range", "0-5", *said).last["shot"])
    settings = {"model": str(model), "lora_steps": 4, "cuts": "ignore", "out": str(tmp_path / "out")}
    request = tmp_path / "request.json"
    request.write_text(json.dumps({"host": "other", "clip": {"path": str(clip)}, "settings": settings}))
    begun = studio("host", "begin", request, "--json").last["shot"]
    assert begun == shots[1] != shots[0]


def test_the_shot_of_a_frame_is_prepared_and_propagate_finds_it(i2vedit, server, call, clip, model, tmp_path):
    words = ("frame", clip, "--out", tmp_path / "frame.png", "--range", "0-5", "--model", model, "--seed", "7", "--json")
    exported = i2vedit(*words)
    assert exported.code == 0, exported.err
    assert exported.last["shot"].startswith("shots/")
    watched = i2vedit("jobs", "watch", exported.last["preparation_job"], "--json")
    assert (watched.last["event"], watched.last["kind"]) == ("succeeded", "preparation")
    done = i2vedit(*call(tmp_path / "out", "--range", "0-5", "--seed", "7", "--json"))
    assert done.code == 0, done.err
    assert not [event for event in done.events if event.get("stage") == "train"]
    kinds = [event["kind"] for event in i2vedit("jobs", "list", "--json").events[:-1]]
    assert kinds == ["propagation", "preparation"]
    only = i2vedit("jobs", "list", "--kind", "preparation")
    assert len(only.out.splitlines()) == 1 and "preparation" in only.out


def test_jobs_are_directed_from_the_command_line(i2vedit, server, call, tmp_path):
    """One waits for its `go`; others wait behind it."""
    running, second, third = (i2vedit(*call(tmp_path, "--seed", str(seed), "--detach", "--json")).last["job"] for seed in (WAITING, 0, 3))
    wait_until(lambda: i2vedit("jobs", "show", running, "--json").last["state"] == "running")
    moved = i2vedit("jobs", "move", third, "--before", second, "--json").last["position"]
    before, after = (i2vedit("jobs", "show", job, "--json").last["position"] for job in (running, second))
    assert before < moved < after
    assert i2vedit("jobs", "move", second, "--priority", "high").out.strip() == "The job waits with high priority."
    assert i2vedit("jobs", "delete", running).code == 2
    kept = i2vedit("jobs", "free", "--json")
    assert (kept.code, kept.last["reason"], kept.last["job"]) == (1, "JOB_RUNNING", running)
    assert i2vedit("jobs", "pause", third, "--json").last["state"] == "paused"
    assert i2vedit("jobs", "pause", running).code == 0
    wait_until(lambda: i2vedit("jobs", "show", running, "--json").last["state"] == "paused")
    wait_until(lambda: i2vedit("jobs", "show", second, "--json").last["state"] == "succeeded")
    assert i2vedit("jobs", "free", "--json").last["event"] == "succeeded"
    assert i2vedit("jobs", "cancel", running).code == 0
    assert i2vedit("jobs", "retry", running, "--json").last["state"] in ("queued", "running")
    assert i2vedit("jobs", "resume", third).out.strip() == "The job goes on."
    (tmp_path / "go").touch()
    wait_until(lambda: i2vedit("jobs", "show", third, "--json").last["state"] == "succeeded")
    assert i2vedit("jobs", "delete", third, "--json").last == {"event": "succeeded", "job": third}
    assert i2vedit("jobs", "show", third).code == 2


def test_a_command_starts_a_server_and_the_next_one_finds_it(i2vedit):
    try:
        assert i2vedit("jobs", "list").code == 0
        first = (i2vedit.data / "server.json").read_text()
        assert i2vedit("jobs", "list").code == 0
        assert (i2vedit.data / "server.json").read_text() == first
    finally:
        end_server(i2vedit.data)


def test_two_commands_at_once_share_one_server(i2vedit):
    try:
        processes = [i2vedit.start("jobs", "list") for _ in range(2)]
        assert [process.wait(40) for process in processes] == [0, 0]
    finally:
        for process in processes:
            process.communicate()
        end_server(i2vedit.data)


def end_server(data: Path) -> None:
    """Ends the server that a command started by itself: that one only, by the id that it wrote down."""
    from i2vedit_client.discovery import read_server_file

    server = read_server_file(data)
    if server is not None:
        os.kill(server.pid, signal.SIGTERM)
        wait_until(lambda: not (data / "server.json").exists())


def test_a_data_folder_that_cannot_be_used_is_one_sentence(i2vedit):
    i2vedit.data.write_text("a file stands where the folder should be")
    outcome = i2vedit("jobs", "list", "--json")
    assert outcome.code != 0
    assert outcome.last["event"] == "failed"
    assert "Traceback" not in outcome.err and len(outcome.err.strip().splitlines()) == 1

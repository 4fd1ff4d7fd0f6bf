"""`i2vedit verify` and `i2vedit rerun` as a person and a script call them."""

import json
import shutil
from pathlib import Path

import pytest
from tests.core.delivery.delivered import whole_delivery
from tests.core.delivery.test_verify import plain_ticket

from i2vedit_core.shot import Shot


@pytest.fixture(scope="module")
def made(tmp_path_factory, clip) -> Path:
    shot = Shot.open(clip)
    return whole_delivery(tmp_path_factory.mktemp("made"), shot, plain_ticket(shot))


@pytest.fixture
def folder(made, tmp_path) -> Path:
    return Path(shutil.copytree(made, tmp_path / made.name))


def test_a_whole_delivery_is_told_in_one_calm_sentence(studio, made):
    outcome = studio("verify", made)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines()[-1] == "Whole and true: 6 frames, 0 to 5. Outside the matte, every pixel is the plate's."


def test_json_ends_with_succeeded(studio, made):
    outcome = studio("verify", made, "--json")
    assert {event["event"] for event in outcome.events[:-1]} == {"progress"}
    assert outcome.last == {
        "event": "succeeded",
        "kind": "verification",
        "first": 0,
        "last": 5,
        "frames": 6,
        "unchecked": 0,
        "lossy": False,
        "largest_difference": 0.0,
    }


def test_faults_name_their_frames_and_end_with_failed(studio, folder):
    damaged, missing = folder / f"{folder.name}.0002.exr", folder / f"{folder.name}.0004.exr"
    damaged.write_bytes(damaged.read_bytes()[:-500])
    missing.unlink()
    outcome = studio("verify", folder, "--json")
    assert outcome.code == 1
    faults = [(event["frame"], event["check"]) for event in outcome.events if event["event"] == "fault"]
    assert faults == [(4, "frames"), (2, "readable")]
    assert (outcome.last["event"], outcome.last["reason"]) == ("failed", "DELIVERY_FAULTY")
    outcome = studio("verify", folder)
    assert "Frame 4 is missing." in outcome.out and "Frame 2: its file is cut off" in outcome.out
    assert outcome.err.startswith("2 things are wrong with this delivery.")


def test_a_plate_that_is_gone_is_told_and_is_no_fault_unless_strict(studio, folder, clip, made, tmp_path):
    ticket = json.loads((folder / "ticket.json").read_text())
    (folder / "ticket.json").write_text(json.dumps({**ticket, "plate_path": str(tmp_path / "gone" / clip.name)}))
    outcome = studio("verify", folder)
    assert outcome.code == 0 and "Not checked whether pixels outside the matte are the plate's" in outcome.out
    assert outcome.out.splitlines()[-1] == "Whole, as far as it could be checked: 6 frames, 0 to 5."
    assert studio("verify", folder, "--strict", "--json").last["reason"] == "DELIVERY_UNCHECKED"
    assert studio("verify", folder, "--strict", "--plate", clip).code == 0


def test_no_folder_and_no_delivery(studio, tmp_path):
    outcome = studio("verify", tmp_path / "nowhere", "--json")
    assert (outcome.code, outcome.last["reason"]) == (2, "DELIVERY_NOT_FOUND")
    outcome = studio("verify", tmp_path, "--json")
    assert (outcome.code, outcome.last["reason"]) == (1, "DELIVERY_FAULTY")


def test_a_rerun_of_other_material_is_refused(studio, folder, edited):
    outcome = studio("rerun", folder, "--edited", edited, "--json")
    assert outcome.code == 2 and outcome.last["event"] == "failed"
    assert outcome.last["reason"] in ("MATERIAL_CHANGED", "TICKET_UNUSABLE")

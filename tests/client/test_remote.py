"""The command beside a server that it reaches by TLS, as on another machine: no file is seen from both sides."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.server.certificates import Pair, certificate
from tests.server.elsewhere import own_address

from i2vedit_client.remote import PICTURES
from i2vedit_core.media.frame_files import ENDINGS

FRAMES = 6


@dataclass(frozen=True)
class Elsewhere:
    """A server and what a command needs to reach it."""

    data: Path
    address: str
    pair: Pair

    @property
    def variables(self) -> dict[str, str]:
        return {
            "I2VEDIT_SERVER": self.address,
            "I2VEDIT_TOKEN_FILE": str(self.data / "token"),
            "I2VEDIT_CA_FILE": str(self.pair.certificate),
        }


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory, studio, model) -> Iterator[Elsewhere]:
    folder = tmp_path_factory.mktemp("elsewhere")
    pair = certificate(folder, own_address())
    data = folder / "data"
    data.mkdir()
    shutil.copytree(model, folder / "models" / "hollow")
    (data / "config.toml").write_text(f"""
listen = "0.0.0.0:0"
[tls]
certificate = "{pair.certificate}"
key = "{pair.key}"
[remote]
roots = ["{folder / "models"}"]
""")
    command = [sys.executable, "-m", "i2vedit_server", "--data-dir", str(data), "--runner", "stand_in_runner:run"]
    server = type(studio)(data)
    process = subprocess.Popen(command, env=server.environment, stdin=subprocess.DEVNULL)
    try:
        while not (data / "server.json").exists():
            assert process.poll() is None
        port = json.loads((data / "server.json").read_text())["remote_address"].rpartition(":")[2]
        yield Elsewhere(data, f"{own_address()}:{port}", pair)
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def words(call, elsewhere):
    """A `propagate` call with a model that lies on the server."""
    return lambda out, *more: [*call(out, *more), "--model", str(elsewhere.data.parent / "models" / "hollow")]


@pytest.fixture
def by_name(elsewhere, monkeypatch):
    for name, value in elsewhere.variables.items():
        monkeypatch.setenv(name, value)


def test_a_job_goes_there_and_its_frames_come_back(i2vedit, by_name, elsewhere, words, tmp_path):
    outcome = i2vedit(*words(tmp_path / "out", "--json"))
    assert outcome.code == 0, outcome.err
    assert [event["event"] for event in outcome.events[:3]] == ["uploaded", "uploaded", "submitted"]
    assert outcome.last["directory"] == str(tmp_path / "out" / "shot_v001")
    assert len(list((tmp_path / "out" / "shot_v001").iterdir())) == FRAMES
    assert not i2vedit.data.exists(), "no server was started here"
    again = i2vedit(*words(tmp_path / "out"))
    assert again.code == 0, again.err
    assert f"Done: {FRAMES} frames in {tmp_path / 'out' / 'shot_v002'}" in again.out

    fetched = i2vedit("jobs", "fetch", outcome.last["job"], "--out", tmp_path / "later", "--json")
    assert fetched.last["directory"] == str(tmp_path / "later" / "shot_v001")
    taken = i2vedit("jobs", "fetch", outcome.last["job"], "--out", tmp_path / "later", "--json")
    assert (taken.code, taken.last["reason"]) == (2, "OUTPUT_NOT_WRITABLE")


def test_what_lies_here_cannot_be_named_there(i2vedit, by_name, elsewhere, call, clip, tmp_path):
    refused = i2vedit(*call(tmp_path / "out", "--json"))
    assert (refused.code, refused.last["code"], refused.last["reason"]) == (2, "PERMISSION_DENIED", "PATH_NOT_ALLOWED")
    frame = i2vedit("frame", clip, "--out", tmp_path / "frame.png", "--json")
    assert (frame.code, frame.last["reason"]) == (2, "PATH_NOT_ALLOWED")
    assert "does not send files" in frame.last["message"] and "I2VEDIT_SERVER" in frame.last["message"]


def test_a_sequence_is_refused_before_anything_is_sent(i2vedit, by_name, elsewhere, call, edited, tmp_path):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in (1, 2):
        shutil.copy(edited, pictures / f"shot.{number:04}.png")
    for named in (pictures, pictures / "shot.%04d.png", pictures / "shot.####.png", pictures / "shot.0001.png"):
        refused = i2vedit(*call(tmp_path / "out", "--json", source=named))
        assert refused.code == 2 and "sequence of pictures" in refused.last["message"], named
        assert [event["event"] for event in refused.events] == ["failed"]
    region = i2vedit(*call(tmp_path / "out", "--region", str(pictures), "--json"))
    assert region.code == 2 and "region" in region.last["message"] and len(region.events) == 1


def test_pictures_end_as_they_do_for_the_core():
    assert PICTURES == ENDINGS


def test_what_the_environment_says_wrongly_is_one_sentence(i2vedit, by_name, elsewhere, monkeypatch, tmp_path):
    def said(code: int):
        outcome = i2vedit("jobs", "list")
        assert outcome.code == code
        assert len(outcome.err.strip().splitlines()) == 1
        return outcome.err

    monkeypatch.delenv("I2VEDIT_CA_FILE")
    assert "I2VEDIT_CA_FILE" in said(3)
    monkeypatch.setenv("I2VEDIT_CA_FILE", str(tmp_path / "none"))
    assert "cannot be read" in said(2)
    monkeypatch.delenv("I2VEDIT_TOKEN_FILE")
    assert "I2VEDIT_TOKEN_FILE" in said(2)
    monkeypatch.setenv("I2VEDIT_SERVER", "render")
    assert "host and the port" in said(2)
    monkeypatch.setenv("I2VEDIT_SERVER", "127.0.0.1:1")
    monkeypatch.setenv("I2VEDIT_TOKEN_FILE", str(elsewhere.data / "token"))
    monkeypatch.delenv("I2VEDIT_CA_FILE")
    assert "127.0.0.1:1" in said(3)


def test_approved_frames_are_not_carried_there(i2vedit, by_name, elsewhere, words, tmp_path):
    outcome = i2vedit(*words(tmp_path / "out", "--pin", "0-2", "--pinned-from", str(tmp_path), "--json"))
    assert outcome.code == 2 and "Pinned frames" in outcome.last["message"]


def test_a_batch_goes_there_and_its_frames_come_back(i2vedit, by_name, elsewhere, clip, edited, tmp_path):
    path = tmp_path / "shots.csv"
    path.write_text(f"clip,edited,range,out\n{clip},{edited},0-2,out\n{clip},{edited},1-2,out\n{clip},{edited},0-99,out\n")
    outcome = i2vedit("batch", path, "--model", elsewhere.data.parent / "models" / "hollow", "--json")
    assert outcome.code == 1 and outcome.last["reason"] == "BATCH_INCOMPLETE"
    rows = json.loads((tmp_path / "shots_report.json").read_text())["rows"]
    assert [row["state"] for row in rows] == ["succeeded", "succeeded", "failed"]
    assert rows[2]["reason"] == "RANGE_OUTSIDE_CLIP"
    assert {Path(row["folder"]).parent for row in rows[:2]} == {tmp_path / "out"}
    assert [len(list(Path(row["folder"]).iterdir())) for row in rows[:2]] == [3, 2]

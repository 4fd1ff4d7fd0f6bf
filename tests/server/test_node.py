"""A program in another language that has nothing of ours but the `.proto` files."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from google.protobuf.json_format import MessageToJson
from tests.server.conftest import FRAMES
from tests.server.harness import ServerProcess

import i2vedit
from i2vedit.v1 import job_pb2

PROGRAM = Path(__file__).resolve().parent / "node"
PROTO_ROOT = Path(i2vedit.__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program with its two libraries, in a folder of its own."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("node and npm are not on this machine")
    folder = tmp_path_factory.mktemp("node")
    for name in ("package.json", "submit.js"):
        shutil.copy(PROGRAM / name, folder)
    installed = subprocess.run([npm, "install", "--no-audit", "--no-fund"], cwd=folder, capture_output=True, text=True, timeout=180)
    if installed.returncode != 0:
        pytest.skip(f"npm cannot install the gRPC libraries here: {installed.stderr.strip()[-300:]}")
    return folder / "submit.js"


def run(program: Path, server: ServerProcess, spec: job_pb2.JobSpec) -> tuple[int, list[dict[str, object]]]:
    """Exit code and what it said, line by line."""
    node = shutil.which("node") or "node"
    command = [node, str(program), str(PROTO_ROOT), str(server.folder / "server.json"), str(server.folder / "token")]
    text = MessageToJson(spec, preserving_proto_field_name=True)
    done = subprocess.run(command, input=text, capture_output=True, text=True, encoding="utf-8", timeout=90)
    assert not done.stderr
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_a_node_program_submits_a_job_and_watches_it_to_its_end(program: Path, server: ServerProcess, spec: job_pb2.JobSpec) -> None:
    code, events = run(program, server, spec)
    assert code == 0
    assert events[-1]["state"] == "STATE_SUCCEEDED"
    frames = [event["frame"] for event in events if event["event"] == "frame"]
    assert frames == [str(frame) for frame in range(FRAMES)]


def test_a_node_program_reads_an_error(program: Path, server: ServerProcess, spec: job_pb2.JobSpec) -> None:
    spec.clip.path += ".missing"
    code, events = run(program, server, spec)
    assert code == 1
    assert events[-1]["error"] == 5 and "missing" in str(events[-1]["message"])
